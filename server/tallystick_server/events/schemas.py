"""How events look in JSON."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tallystick.event import EVENTS_PER_REQUEST_MAX, ID_LENGTH_MAX, SOURCE_LENGTH_MAX, EventState, Receipt, StoredEvent
from tallystick.rejection import Code
from tallystick.store import Identity, IngestAnswer, VoidAnswer
from tallystick_server.json_values import Moment, Number, Property, Timestamp, number, properties, timestamp

# What an event may be is decided by `tallystick.decode`; these types only describe it.
NumberIn = Annotated[
    int | float | str,
    msgspec.Meta(
        description="A JSON number or a decimal string: at most 26 digits before the point; more than 12 after it are rounded.",
        examples=[1.5, "0.000000000001"],
    ),
]
PropertyIn = str | int | float | bool


class EventIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An event as it is sent. Identity is (`source`, `id`)."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=128, examples=["api_call"])]
    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["acme"])]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["01J9ZQ4R8M"])] | None = None
    source: Annotated[str, msgspec.Meta(max_length=256, examples=["gateway-1"])] = ""
    time: Moment | None = None
    value: NumberIn = 1
    properties: Annotated[dict[str, PropertyIn], msgspec.Meta(extra_json_schema={"maxProperties": 128})] = {}


class EventOut(msgspec.Struct, kw_only=True):
    """An event of the log."""

    source: str
    id: str
    type: str
    customer: str
    time: Timestamp
    value: Number
    properties: dict[str, Property]
    position: int
    received_at: Timestamp
    state: EventState


class EventsOut(msgspec.Struct):
    """A page of events, newest time first."""

    items: list[EventOut]
    next_cursor: str | None


class VoidingOut(msgspec.Struct):
    """The correction that took an event out of every figure: its own position in the log, when it was written, and why."""

    position: int
    at: Timestamp
    reason: str


class ReceiptOut(EventOut, kw_only=True):
    """An event and the proof that it is in the log: the block that holds it, how often it was sent again, and why it no longer counts."""

    block: int
    block_hash: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[0-9a-f]{64}$"})]
    duplicates_seen: int
    voided: VoidingOut | None


class RejectedOut(msgspec.Struct):
    """One event of the request that was not counted; `index` is its place in it, from 0."""

    index: int
    id: str | None
    code: Code
    detail: str


class IngestOut(msgspec.Struct):
    """What became of the events of one request; `conflicts` are listed in `rejected` too."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: list[RejectedOut]


class IngestProblem(msgspec.Struct):
    """A problem that carries the ingest answer: every event was rejected."""

    type: str
    title: str
    status: int
    detail: str
    accepted: int
    duplicates: int
    conflicts: int
    rejected: list[RejectedOut]
    request_id: str | None = None


class Target(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The identity of an event to void."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
    source: Annotated[str, msgspec.Meta(max_length=SOURCE_LENGTH_MAX)] = ""


class VoidRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Corrections: these events no longer count. `if_missing` says what happens to ids that were not seen yet."""

    events: Annotated[list[Target], msgspec.Meta(min_length=1, max_length=EVENTS_PER_REQUEST_MAX)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1_024, examples=["sent by a test"])]
    if_missing: Literal["report", "remember"] = "report"


class IdentityOut(msgspec.Struct):
    """What names an event."""

    source: str
    id: str


class VoidOut(msgspec.Struct):
    """How many no longer count, did not before, or will not when they come; and which were never seen."""

    voided: int
    already_voided: int
    remembered: int
    not_found: list[IdentityOut]


def event_out(stored: StoredEvent) -> EventOut:
    """Return an event as it is answered."""
    event = stored.event
    return EventOut(
        source=event.source,
        id=event.id,
        type=event.type,
        customer=event.customer,
        time=timestamp(event.time),
        value=number(event.value),
        properties=properties(event.properties),
        position=stored.position,
        received_at=timestamp(stored.received_at),
        state=stored.state,
    )


def receipt_out(receipt: Receipt) -> ReceiptOut:
    """Return a receipt as it is answered."""
    voiding = receipt.voided
    return ReceiptOut(
        **msgspec.structs.asdict(event_out(receipt.stored)),
        block=receipt.block,
        block_hash=receipt.block_hash.hex(),
        duplicates_seen=receipt.duplicates_seen,
        voided=None
        if voiding is None
        else VoidingOut(position=voiding.position, at=timestamp(voiding.at), reason=voiding.reason),
    )


def ingest_out(answer: IngestAnswer) -> IngestOut:
    """Return an ingest answer as it is answered."""
    return IngestOut(
        accepted=answer.accepted,
        duplicates=answer.duplicates,
        conflicts=answer.conflicts,
        rejected=[RejectedOut(entry.index, entry.id, entry.code, entry.detail) for entry in answer.rejected],
    )


def targets(request: VoidRequest) -> list[Identity]:
    """Return the identities that a request names, each once."""
    return [
        Identity(source, id_) for source, id_ in dict.fromkeys((event.source, event.id) for event in request.events)
    ]


def void_out(answer: VoidAnswer) -> VoidOut:
    """Return what became of corrections as it is answered."""
    return VoidOut(
        voided=answer.voided,
        already_voided=answer.already_voided,
        remembered=answer.remembered,
        not_found=[IdentityOut(identity.source, identity.id) for identity in answer.not_found],
    )
