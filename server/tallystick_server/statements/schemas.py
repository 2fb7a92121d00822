"""How statements, proofs and a customer's list look in JSON. The statement itself is `tallystick.statement.statement.Statement`."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import msgspec

from tallystick.event import EventState
from tallystick.instant import Instant, format_instant
from tallystick.statement.proof import FORMAT, ProvenEvent, ProvenStatement
from tallystick.statement.statement import Hash
from tallystick.store import CustomerEventsPage, StoredRows
from tallystick_server.events.schemas import EventOut, ReceiptOut, receipt_out
from tallystick_server.json_values import timestamp


class ProofOut(msgspec.Struct, kw_only=True):
    """An event with its receipt, and the hashes that lead from its leaf to the root of the statement, the lowest first."""

    format: str
    receipt: ReceiptOut
    statement: ProvenStatement
    leaf_index: int
    leaf_hash: Hash
    audit_path: list[Hash]


class CustomerEventsOut(msgspec.Struct, kw_only=True):
    """A page of one customer's events by position; `state` is what it was at `as_of`, where the block of that hash holds the log."""

    as_of: int
    block: int
    block_hash: Hash
    items: list[EventOut]
    next_cursor: str | None


def proof_out(proven: ProvenEvent, customer: str) -> ProofOut:
    """Return a proof as it is answered."""
    return ProofOut(
        format=FORMAT,
        receipt=receipt_out(proven.receipt),
        statement=ProvenStatement(
            customer=customer,
            start=timestamp(proven.start),
            end=timestamp(proven.end),
            as_of=proven.as_of,
            events=proven.path.size,
            merkle_root=proven.merkle_root.hex(),
        ),
        leaf_index=proven.path.index,
        leaf_hash=proven.leaf_hash.hex(),
        audit_path=[sibling.hex() for sibling in proven.path.siblings],
    )


def customer_events_out(page: CustomerEventsPage) -> CustomerEventsOut:
    """Return a page as it is answered."""
    return CustomerEventsOut(
        as_of=page.place.position,
        block=page.place.block,
        block_hash=page.place.block_hash.hex(),
        items=_events(page.items),
        next_cursor=page.next_cursor,
    )


def _events(rows: StoredRows) -> list[EventOut]:
    # Neighbours in the log mostly came at the same instant, and a written time costs more than the rest of an event.
    written = lru_cache(maxsize=1_024)(format_instant)
    return [
        EventOut(
            source=rows.sources[row],
            id=rows.ids[row],
            type=rows.types[row],
            customer=rows.customers[row],
            time=written(Instant(rows.times[row])),
            value=msgspec.Raw(rows.values[row].encode()),
            # Canonical properties are JSON as it is answered.
            properties=cast("dict[str, msgspec.Raw]", msgspec.Raw(rows.properties[row])),
            position=rows.positions[row],
            received_at=written(Instant(rows.received_at[row])),
            state=EventState.VOIDED if rows.are_voided[row] else EventState.COUNTED,
        )
        for row in range(len(rows))
    ]
