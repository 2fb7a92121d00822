"""How a comparison looks in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from tallystick.event import PropertyValue
from tallystick.reconcile.question import Direction, ReconcileQuestion
from tallystick.reconcile.reconciliation import Difference, MatchedEvent, MeterSides, Reconciliation, Side
from tallystick.statement.statement import Hash
from tallystick_server.events.schemas import EventOut, IdentityOut, NumberIn, PropertyIn, RejectedOut, event_out
from tallystick_server.json_values import (
    NULL,
    Moment,
    NumberOrNull,
    Timestamp,
    number_or_null,
    properties,
    timestamp,
)

PropertyOrNull = Annotated[
    msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["string", "number", "boolean", "null"]})
]


# What an item may be is decided by `tallystick.reconcile.claims`; this type only describes it.
class ClaimIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An item that is no event in full: it names an event by its id, and of its content what is to be compared."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["01J9ZQ4R8M"])]
    source: Annotated[str, msgspec.Meta(max_length=256)] = ""
    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    time: Moment | None = None
    value: NumberIn | None = None
    properties: Annotated[dict[str, PropertyIn], msgspec.Meta(extra_json_schema={"maxProperties": 128})] | None = None


class SideOut(msgspec.Struct):
    """How many events, and the sum of their values; null where an item does not name its value."""

    events: int
    value: NumberOrNull


class OnlyYoursOut(IdentityOut):
    """An item whose event the log does not have; `index` is its place in the list, from 0."""

    index: int


class FieldOut(msgspec.Struct):
    """A field that both have otherwise; null where a side has no such value."""

    field: str
    yours: PropertyOrNull
    appliance: PropertyOrNull


class DiffersOut(OnlyYoursOut):
    """An item whose event is in the log with other content, or voided."""

    position: int
    fields: list[FieldOut]


class RepeatedOut(OnlyYoursOut):
    """An item whose event came before in the list, at `first_index`; only the first is compared and counted."""

    first_index: int
    same_content: bool


class MeterSidesOut(msgspec.Struct):
    """What a meter makes of both sides; the appliance's is null where the list alone was looked up."""

    meter: str
    version: int
    yours: NumberOrNull
    yours_events: int
    appliance: NumberOrNull
    appliance_events: int | None


class ReconcileOut(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """What both sides have. `same` and `outside` are numbers of items; every other item is in exactly one of the lists."""

    customer: str
    start: Timestamp
    end: Timestamp
    source: str | None
    direction: Direction
    as_of: int
    block: int
    block_hash: Hash
    agrees: bool
    yours: SideOut
    appliance: SideOut | None
    same: int
    outside: int
    only_yours: list[OnlyYoursOut]
    only_appliance: list[EventOut]
    differs: list[DiffersOut]
    voided: list[DiffersOut]
    repeated: list[RepeatedOut]
    unreadable: list[RejectedOut]
    meters: list[MeterSidesOut]


def reconcile_out(found: Reconciliation, question: ReconcileQuestion) -> ReconcileOut:
    """Return a comparison as it is answered."""
    return ReconcileOut(
        customer=question.customer,
        start=timestamp(question.start),
        end=timestamp(question.end),
        source=question.source,
        direction=question.direction,
        as_of=found.place.position,
        block=found.place.block,
        block_hash=found.place.block_hash.hex(),
        agrees=found.agrees,
        yours=_side(found.yours),
        appliance=None if found.appliance is None else _side(found.appliance),
        same=found.same_count,
        outside=found.outside_count,
        only_yours=[OnlyYoursOut(each.identity.source, each.identity.id, each.index) for each in found.only_yours],
        only_appliance=[event_out(event) for event in found.only_appliance],
        differs=_matched(found.differs),
        voided=_matched(found.voided),
        repeated=[
            RepeatedOut(
                each.identity.source, each.identity.id, each.index, each.first_index, same_content=each.has_same_content
            )
            for each in found.repeated
        ],
        unreadable=[RejectedOut(each.index, each.id, each.code, each.detail) for each in found.unreadable],
        meters=[_meter(each) for each in found.meters],
    )


def _side(side: Side) -> SideOut:
    return SideOut(side.events, number_or_null(side.value))


def _matched(events: Sequence[MatchedEvent]) -> list[DiffersOut]:
    return [
        DiffersOut(
            each.identity.source, each.identity.id, each.index, each.position, [_field(one) for one in each.differences]
        )
        for each in events
    ]


def _field(difference: Difference) -> FieldOut:
    return FieldOut(difference.field, _value(difference.yours), _value(difference.appliance))


def _value(value: PropertyValue | None) -> msgspec.Raw:
    return NULL if value is None else properties({"": value})[""]


def _meter(sides: MeterSides) -> MeterSidesOut:
    return MeterSidesOut(
        sides.meter,
        sides.version,
        number_or_null(sides.yours),
        sides.yours_events,
        number_or_null(sides.appliance),
        sides.appliance_events,
    )
