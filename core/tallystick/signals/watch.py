"""A watch: what signals that look at the same figures have in common, so that one question answers all of them.

A thousand signals that differ only in their thresholds are one watch, with one ladder a gauge. Those that name a customer are one watch
too: each of its customers has ladders of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from .gauge import Gauge, gauge_of, rungs_of
from .ladder import Ladder, Rung
from .signal import EACH_CUSTOMER, ConditionType, Period, Signal


class Scope(StrEnum):
    """Whose figures: each customer's, some customers', or all together."""

    EACH = "each"
    NAMED = "named"
    TOGETHER = "together"


class Reading(StrEnum):
    """What is read: the figure of the period, that and the one before, or when something last came."""

    FIGURE = "figure"
    CHANGE = "change"
    SILENCE = "silence"


class WatchKey(msgspec.Struct, frozen=True, order=True):
    """What a watch is about. `filter` is sorted; `timezone` may be `CUSTOMER_ZONE`."""

    meter: str
    filter: tuple[tuple[str, tuple[str, ...]], ...]
    group_by: tuple[str, ...]
    period: Period
    timezone: str
    scope: Scope
    reading: Reading


class Watch:
    """One watch and its signals."""

    def __init__(self, key: WatchKey, signals: Iterable[Signal]) -> None:
        self.key = key
        self.signals = {signal.key: signal for signal in signals}
        self.gauges = sorted({gauge_of(signal.condition) for signal in self.signals.values()})
        self.customers: frozenset[str] | None = None
        if key.scope is Scope.NAMED:
            self.customers = frozenset(str(signal.customer) for signal in self.signals.values())
        rungs: dict[tuple[Gauge, str | None], list[Rung]] = {}
        for signal in self.signals.values():
            customer = signal.customer if key.scope is Scope.NAMED else None
            place = gauge_of(signal.condition), customer
            rungs.setdefault(place, []).extend(rungs_of(signal.key, signal.condition))
        self._ladders = {place: Ladder(found) for place, found in rungs.items()}

    @property
    def filter(self) -> dict[str, tuple[str, ...]]:
        """The filter that the signals share."""
        return dict(self.key.filter)

    @property
    def is_by_customer(self) -> bool:
        """Whether subjects are customers."""
        return self.key.scope is not Scope.TOGETHER

    def ladder(self, gauge: Gauge, customer: str | None) -> Ladder:
        """Return the ladder of a subject; one without rungs where no signal is about it."""
        place = gauge, customer if self.key.scope is Scope.NAMED else None
        return self._ladders.get(place, _NO_RUNGS)


_NO_RUNGS = Ladder([])


def watch_key(signal: Signal) -> WatchKey:
    """Return what the signal is about."""
    scope = {None: Scope.TOGETHER, EACH_CUSTOMER: Scope.EACH}.get(signal.customer, Scope.NAMED)
    reading = {ConditionType.THRESHOLD: Reading.FIGURE, ConditionType.NO_DATA: Reading.SILENCE}
    return WatchKey(
        meter=signal.meter,
        filter=tuple(sorted((name, tuple(sorted(set(texts)))) for name, texts in signal.filter.items())),
        group_by=signal.group_by,
        period=signal.period,
        timezone=signal.timezone,
        scope=scope,
        reading=reading.get(signal.condition.type, Reading.CHANGE),
    )


def watches_of(signals: Mapping[str, Signal]) -> dict[WatchKey, list[Signal]]:
    """Return the signals that are enabled, by what they are about."""
    found: dict[WatchKey, list[Signal]] = {}
    for signal in signals.values():
        if signal.enabled:
            found.setdefault(watch_key(signal), []).append(signal)
    return found
