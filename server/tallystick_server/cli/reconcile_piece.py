"""One piece of a list, read by the rules by which the appliance will read it: whose identities they are, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tallystick.decode import DecodeLimits, UnreadableBody
from tallystick.instant import Instant
from tallystick.reconcile.claims import decode_claims

from .intake.record import Record
from .reconcile_ledger import identity_digest

_LIMITS: Final = DecodeLimits()


class Unreadable(msgspec.Struct, frozen=True):
    """An item that could not be read, and why."""

    place: str
    id: str | None
    code: str
    detail: str


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The readable items as columns.

    `indexes` are their places among the records, `identities` keys of the ledger, `contents` digests of what they say.
    """

    indexes: list[int]
    places: list[str]
    sources: list[str]
    ids: list[str]
    identities: list[bytes]
    contents: list[bytes]
    unreadable: list[Unreadable]


def read_piece(records: Sequence[Record], *, customer: str, source: str | None, now: Instant) -> Piece:
    """Return what records say."""
    try:
        claims = decode_claims(
            b"\n".join(record.event for record in records),
            media_type="application/x-ndjson",
            customer=customer,
            source=source,
            received_at=now,
            limits=_LIMITS,
        )
    except UnreadableBody:
        if len(records) == 1:
            fault = Unreadable(records[0].place, None, "invalid_json", "it is neither an event nor an id")
            return Piece(indexes=[], places=[], sources=[], ids=[], identities=[], contents=[], unreadable=[fault])
        # Not one of them can be read: each is told on its own.
        pieces = [read_piece([record], customer=customer, source=source, now=now) for record in records]
        faults = [fault for piece in pieces for fault in piece.unreadable]
        return Piece(indexes=[], places=[], sources=[], ids=[], identities=[], contents=[], unreadable=faults)
    indexes = claims.indexes
    return Piece(
        indexes=indexes,
        places=[records[index].place for index in indexes],
        sources=claims.events.sources,
        ids=claims.events.ids,
        identities=list(map(identity_digest, claims.events.sources, claims.events.ids)),
        contents=claims.content_digests(),
        unreadable=[
            Unreadable(records[each.index].place, each.id, each.code, each.detail) for each in claims.unreadable
        ],
    )
