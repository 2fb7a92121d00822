"""An allowance: what of its limits a customer has left, from the signals that watch them. The pure part: which they are, in which order.

A limit is a signal of type `threshold` whose op is `>=` or `>`: its `limit`, or else the highest of its thresholds.
- A signal limits a customer if it names the customer, or each (`*`). One that names the customer stands in for those of `*` with the same
  period, filter and grouping, so that an exception is one more signal. All together are nobody's limit, nor is one that is disabled.
- What is to be served may be told by its properties. A filter that one of them contradicts lets the limit out; what is not told may be
  anything, so it lets none out. Of a limit for each group, the group with the highest figure counts among those that may be meant.
- The tightest limit speaks for all: one that is exceeded before one that is not, then the one with the least left, then the one that
  begins anew last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from tallystick.amount import EXACT
from tallystick.event import Position
from tallystick.instant import Instant

from .calendar_period import Span
from .signal import EACH_CUSTOMER, ConditionType, Measure, Op, Period, Signal, levels

_NOTHING: Final = Decimal(0)
_CUSTOMER: Final = "customer"


class AllowanceState(StrEnum):
    """How a figure stands to its limit.

    `ok`: below every threshold. `warning`: past one, and not past the limit. `exceeded`: past the limit, which with `>=` it is when it
    reaches it. `unlimited`: there is no limit.
    """

    OK = "ok"
    WARNING = "warning"
    EXCEEDED = "exceeded"
    UNLIMITED = "unlimited"


class LimitStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One limit, and how a customer stands to it.

    `used` is the figure of the period, None where the aggregation has none yet (the largest of nothing); `remaining` is never below 0.
    `level` counts the thresholds that are passed. `group` has the grouped properties' values of a limit for each group.
    """

    signal: str
    limit: Decimal
    used: Decimal | None
    remaining: Decimal
    state: AllowanceState
    op: Op
    level: int
    period: Period
    timezone: str
    period_start: Instant
    resets_at: Instant
    filter: dict[str, tuple[str, ...]]
    group: dict[str, str | None]


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer stands to every limit of a meter, the tightest first; none: unlimited. Includes the log up to `position`."""

    customer: str
    meter: str
    position: Position
    limits: Sequence[LimitStanding]

    @property
    def tightest(self) -> LimitStanding | None:
        """Return the limit that speaks for all."""
        return self.limits[0] if self.limits else None


class Limits:
    """The limits among the signals, looked up by meter and customer. Costs what a meter's limits of one customer are."""

    def __init__(self, signals: Iterable[Signal]) -> None:
        self._by_scope: dict[tuple[str, str], list[Signal]] = {}
        for signal in signals:
            if is_limit(signal) and signal.customer is not None:
                self._by_scope.setdefault((signal.meter, signal.customer), []).append(signal)

    def of(self, meter: str, customer: str, properties: Mapping[str, str]) -> list[Signal]:
        """Return the signals that limit what the properties may mean."""
        own = self._by_scope.get((meter, customer), []) if customer != EACH_CUSTOMER else []
        stood_in_for = {_place(signal) for signal in own}
        everybody = self._by_scope.get((meter, EACH_CUSTOMER), [])
        covering = [*own, *(signal for signal in everybody if _place(signal) not in stood_in_for)]
        told = {**properties, _CUSTOMER: customer}
        return [signal for signal in covering if _may_concern(signal.filter, told)]


def is_limit(signal: Signal) -> bool:
    """Return whether the signal sets an upper limit to usage."""
    return (
        signal.enabled
        and signal.measure is Measure.USAGE
        and signal.condition.type is ConditionType.THRESHOLD
        and signal.condition.op in (Op.AT_LEAST, Op.ABOVE)
    )


def limit_of(signal: Signal) -> Decimal:
    """Return the figure that is the limit: with thresholds in percent that of 100, whatever the highest of them is."""
    limit = signal.condition.limit
    return levels(signal.condition)[-1] if limit is None else limit


def standing(
    signal: Signal, used: Decimal | None, *, span: Span, zone: str, group: Sequence[str | None] = ()
) -> LimitStanding:
    """Return how a figure stands to the limit of a signal."""
    limit, figure = limit_of(signal), _NOTHING if used is None else used
    is_above = signal.condition.op is Op.ABOVE
    level = sum(_is_past(used, each, is_above=is_above) for each in levels(signal.condition))
    state = AllowanceState.WARNING if level else AllowanceState.OK
    if _is_past(used, limit, is_above=is_above):
        state = AllowanceState.EXCEEDED
    return LimitStanding(
        signal=signal.key,
        limit=limit,
        used=used,
        remaining=max(EXACT.subtract(limit, figure), _NOTHING),
        state=state,
        op=signal.condition.op,
        level=level,
        period=signal.period,
        timezone=zone,
        period_start=span.start,
        resets_at=span.end,
        filter=signal.filter,
        group=dict(zip(signal.group_by, group, strict=True)) if signal.group_by else {},
    )


def tightest_first(limits: Iterable[LimitStanding]) -> list[LimitStanding]:
    """Return the limits in order: exceeded ones first, then by what is left, then by when they begin anew, the last first."""
    return sorted(
        limits,
        key=lambda each: (each.state is not AllowanceState.EXCEEDED, each.remaining, -each.resets_at, each.signal),
    )


def may_be_meant(group_by: Sequence[str], group: Sequence[str | None], properties: Mapping[str, str]) -> bool:
    """Return whether what the properties tell of may be in the group."""
    return all(properties.get(name, value) == value for name, value in zip(group_by, group, strict=True))


def _is_past(used: Decimal | None, threshold: Decimal, *, is_above: bool) -> bool:
    if used is None:
        return False
    return used > threshold if is_above else used >= threshold


def _place(signal: Signal) -> tuple[object, ...]:
    filter_ = tuple(sorted((name, tuple(sorted(set(texts)))) for name, texts in signal.filter.items()))
    return (signal.period, filter_, tuple(sorted(signal.group_by)))


def _may_concern(filter_: Mapping[str, Sequence[str]], told: Mapping[str, str]) -> bool:
    return all(name not in told or told[name] in texts for name, texts in filter_.items())
