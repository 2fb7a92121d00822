"""A signal: a condition on the figure of a meter, watched for a customer, for each customer, or for all together."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from tallystick.amount import EXACT
from tallystick.instant import Instant

EACH_CUSTOMER: Final = "*"
CUSTOMER_ZONE: Final = "customer"


class ConditionType(StrEnum):
    """What is compared with what."""

    THRESHOLD = "threshold"
    ABSOLUTE_CHANGE = "absolute_change"
    PERCENT_CHANGE = "percent_change"
    NO_DATA = "no_data"


class Op(StrEnum):
    """On which side of a threshold the figure must be."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"


class Direction(StrEnum):
    """Which changes count."""

    UP = "up"
    DOWN = "down"
    ANY = "any"


class Measure(StrEnum):
    """Which figure is watched."""

    USAGE = "usage"
    COST = "cost"


class Period(StrEnum):
    """The calendar period whose figure is watched; it starts anew with each, and so does the signal."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Digest(StrEnum):
    """Whether firings are sent at once, or joined into one message an hour or a day."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """When a signal fires.

    `threshold`: the figure is `op` the `value`, or passes each of `thresholds` in turn; with a `limit` these are percent of it.
    Changes: the period so far differs from the same elapsed part of the period before by `value` (units, or percent of the base) or more,
    in the `direction`; a percent change stays quiet while both figures are below the `floor`.
    `no_data`: a customer who sent before has sent nothing for `silence_s` seconds.
    """

    type: ConditionType
    op: Op = Op.AT_LEAST
    value: Decimal | None = None
    thresholds: tuple[Decimal, ...] = ()
    limit: Decimal | None = None
    direction: Direction = Direction.ANY
    floor: Decimal | None = None
    silence_s: int | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a signal.

    `customer` is a key, `*` (each customer is watched on its own), or None (all together); `group_by` watches each value of some properties
    on its own. `timezone` is an IANA name, or `customer` for each customer's own. `template` is text for messages, in place of the default.
    With an `owner` it is a customer's own: it watches that customer alone.
    """

    key: str
    meter: str
    condition: Condition
    name: str | None = None
    measure: Measure = Measure.USAGE
    customer: str | None = None
    filter: dict[str, tuple[str, ...]] = {}
    group_by: tuple[str, ...] = ()
    period: Period = Period.MONTH
    timezone: str = "UTC"
    channels: tuple[str, ...] = ()
    digest: Digest = Digest.NONE
    template: str | None = None
    enabled: bool = True
    owner: str | None = None
    version: int = 1
    created_at: Instant = Instant(0)
    updated_at: Instant = Instant(0)


def means_the_same(before: Signal, after: Signal) -> bool:
    """Whether what was noticed under one version still holds under the other: name, channels, digest and template do not matter."""
    return _meaning(before) == _meaning(after)


def levels(condition: Condition) -> tuple[Decimal, ...]:
    """Return the figures at which a threshold condition goes one level up, in the order in which a figure passes them.

    Level 0 is quiet, level n is past the n-th of them. Empty for other conditions, which have the levels 0 and 1 alone.
    """
    if condition.type is not ConditionType.THRESHOLD:
        return ()
    if condition.limit is not None:
        limit = condition.limit
        figures = [
            EXACT.divide(EXACT.multiply(limit, percent), 100) for percent in condition.thresholds or (Decimal(100),)
        ]
    else:
        figures = list(condition.thresholds) if condition.value is None else [condition.value]
    return tuple(sorted(figures, reverse=condition.op in (Op.AT_MOST, Op.BELOW)))


def _meaning(signal: Signal) -> tuple[object, ...]:
    return (
        signal.meter,
        signal.measure,
        signal.customer,
        signal.filter,
        signal.group_by,
        signal.period,
        signal.timezone,
        signal.condition,
        signal.enabled,
    )
