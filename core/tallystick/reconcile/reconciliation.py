"""What a comparison found. "Yours" is the list's side, "appliance" the log's."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tallystick.event import Position, PropertyValue, StoredEvent
from tallystick.identity import Identity
from tallystick.log_place import LogPlace
from tallystick.rejection import Rejected


class Difference(msgspec.Struct, frozen=True):
    """One field that two events of one identity do not share; `properties.NAME` for a property, None where a side has no such value."""

    field: str
    yours: PropertyValue | None
    appliance: PropertyValue | None


class ClaimedEvent(msgspec.Struct, frozen=True):
    """An item of the list that the log does not have; `index` is its place in the list, from 0."""

    index: int
    identity: Identity


class MatchedEvent(msgspec.Struct, frozen=True):
    """An item whose event is in the log but not the same, or voided; `differences` may be none where it is voided."""

    index: int
    identity: Identity
    position: Position
    differences: list[Difference]


class RepeatedEvent(msgspec.Struct, frozen=True):
    """An item whose identity came before in the list; only the first is compared and counted."""

    index: int
    first_index: int
    identity: Identity
    has_same_content: bool


class Side(msgspec.Struct, frozen=True):
    """How many events a side has in the scope and what their values add up to; None where not every item names its value."""

    events: int
    value: Decimal | None


class MeterSides(msgspec.Struct, frozen=True):
    """What one meter makes of both sides; None where it has no figure, or (the appliance's) was not asked."""

    meter: str
    version: int
    yours: Decimal | None
    yours_events: int
    appliance: Decimal | None
    appliance_events: int | None


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer; every readable item is in exactly one of `same_count`, `outside_count` and the lists."""

    place: LogPlace
    yours: Side
    appliance: Side | None
    same_count: int
    outside_count: int
    only_yours: list[ClaimedEvent]
    only_appliance: list[StoredEvent]
    differs: list[MatchedEvent]
    voided: list[MatchedEvent]
    repeated: list[RepeatedEvent]
    unreadable: list[Rejected]
    meters: list[MeterSides]

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same events, as far as both were asked."""
        return not (
            self.only_yours
            or self.only_appliance
            or self.differs
            or self.voided
            or self.unreadable
            or any(not each.has_same_content for each in self.repeated)
            or (self.appliance is not None and not _agree(self.yours, self.appliance))
        )


def _agree(yours: Side, appliance: Side) -> bool:
    return yours.events == appliance.events and yours.value in {None, appliance.value}
