"""What the appliance answers to a run of `reconcile`, as far as the run looks at it."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class SideReply(msgspec.Struct, frozen=True):
    """One side's sums, as the API answers them."""

    events: int
    value: Decimal | None


class FieldReply(msgspec.Struct, frozen=True):
    """A field that differs; each side's value as it was written, which keeps every digit."""

    field: str
    yours: msgspec.Raw
    appliance: msgspec.Raw


class ItemReply(msgspec.Struct, frozen=True):
    """An item of one of the answer's lists."""

    index: int
    id: str | None
    source: str = ""
    position: int | None = None
    fields: list[FieldReply] = []
    code: str = ""
    detail: str = ""


class MeterReply(msgspec.Struct, frozen=True):
    """A meter's figure of the list."""

    meter: str
    yours: Decimal | None


class PieceReply(msgspec.Struct, frozen=True):
    """What the API answers of one piece of the list."""

    as_of: int
    yours: SideReply
    same: int
    outside: int
    only_yours: list[ItemReply]
    differs: list[ItemReply]
    voided: list[ItemReply]
    unreadable: list[ItemReply]
    meters: list[MeterReply]


class EventReply(msgspec.Struct, frozen=True):
    """An event of the customer's list."""

    source: str
    id: str
    value: Decimal
    position: int
    state: str


class EventsReply(msgspec.Struct, frozen=True):
    """A page of it."""

    items: list[EventReply]
    next_cursor: str | None
    block_hash: str


class HeadReply(msgspec.Struct, frozen=True):
    """Where the log ends."""

    position: int


class TotalReply(msgspec.Struct, frozen=True):
    """A meter's figure of the range."""

    value: Decimal | None


class UsageReply(msgspec.Struct, frozen=True):
    """A usage answer."""

    totals: list[TotalReply]


class MeterDefinition(msgspec.Struct, frozen=True):
    """What of a meter decides whether figures of pieces add up."""

    aggregation: str
