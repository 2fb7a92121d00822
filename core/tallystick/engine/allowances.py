"""Allowances: how a customer stands to its limits now, from running figures; so that a gateway can ask before it serves.

Promises: every event that was acknowledged before the question is in the answer; figures are those of the usage question over the period.
A period is the calendar's, of the signal's zone or the customer's own (UTC for a customer whom nobody described), and whole: events that
lie ahead of the clock count in the period they lie in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.catalog.catalog import Catalog
from tallystick.errors import NotFound
from tallystick.event import Position
from tallystick.instant import Clock, Instant
from tallystick.meter import Meter
from tallystick.signals.allowance import Allowance, Limits, LimitStanding, may_be_meant, standing, tightest_first
from tallystick.signals.calendar_period import Span, span_at
from tallystick.signals.signal import CUSTOMER_ZONE, Period, Signal
from tallystick.usage.aggregators import bind_aggregator

from .live_figure import LiveAnswer, LiveFigure
from .live_figures import LiveFigures
from .live_question import LiveQuestion

# Each takes some 20 µs; more are for a thread.
_AT_ONCE_LIMITS_MAX: Final = 8
# 600 zones of four periods; an answer of a period that is over is replaced by that of the next.
_SPANS_MAX: Final = 4_096

Ask = Callable[[LiveQuestion, str, Span], LiveAnswer | None]


class Allowances:
    """The allowances of one engine. Safe from any thread."""

    def __init__(self, catalog: Catalog, live: LiveFigures, *, head: Callable[[], Position], clock: Clock) -> None:
        self._catalog, self._live = catalog, live
        self._head, self._clock = head, clock
        # The catalog swaps its dictionary whenever a signal changes, so the limits of one are right for as long as it is the same.
        self._limits: tuple[Mapping[str, Signal], Limits] = ({}, Limits(()))
        self._spans: dict[tuple[Period, str], Span] = {}

    def of(self, customer: str, meter_key: str, properties: Mapping[str, str]) -> Allowance:
        """Return how the customer stands. Raises `NotFound` for a meter that is none, or archived, and as a usage question does."""
        allowance = self._allowance(customer, meter_key, properties, self._live.figure, self._zone_of)
        assert allowance is not None  # noqa: S101 - `figure` answers every question
        return allowance

    def at_once(self, customer: str, meter_key: str, properties: Mapping[str, str]) -> Allowance | None:
        """Do as `of` from memory alone, in a fraction of a millisecond; None: ask `of`, on a thread. Raises `NotFound`."""
        return self._allowance(customer, meter_key, properties, self._live.figure_at_once, None)

    def _allowance(
        self,
        customer: str,
        meter_key: str,
        properties: Mapping[str, str],
        ask: Ask,
        zone_of: Callable[[str], str] | None,
    ) -> Allowance | None:
        meter = self._catalog.meters.get(meter_key)
        if meter is None or meter.archived_at is not None:
            raise NotFound("meter", meter_key)
        # Before the figures, which may be of later positions: what it says is in them all is.
        position = self._head()
        signals = self._limits_now().of(meter_key, customer, properties)
        if zone_of is None and (
            len(signals) > _AT_ONCE_LIMITS_MAX or any(each.timezone == CUSTOMER_ZONE for each in signals)
        ):
            return None
        found: list[LimitStanding] = []
        for signal in signals:
            zone = zone_of(customer) if zone_of and signal.timezone == CUSTOMER_ZONE else signal.timezone
            span = self._span(signal.period, zone)
            answer = ask(_question(meter, signal, zone), customer, span)
            if answer is None:
                return None
            figure = _fullest(meter, signal, answer, properties)
            found.append(standing(signal, figure.value, span=span, zone=zone, group=figure.group))
        return Allowance(customer=customer, meter=meter_key, position=position, limits=tightest_first(found))

    def _limits_now(self) -> Limits:
        signals, limits = self._limits
        if signals is not self._catalog.signals:
            signals = self._catalog.signals
            limits = Limits(signals.values())
            self._limits = (signals, limits)
        return limits

    def _zone_of(self, customer: str) -> str:
        try:
            return self._catalog.customer(customer).time_zone
        except NotFound:
            return "UTC"

    def _span(self, period: Period, zone: str) -> Span:
        now = self._clock.now()
        span = self._spans.get((period, zone))
        if span is None or not span.start <= now < span.end:
            if len(self._spans) >= _SPANS_MAX:
                self._spans = {}
            span = self._spans[period, zone] = span_at(Instant(now), period, zone)
        return span


def _question(meter: Meter, signal: Signal, zone: str) -> LiveQuestion:
    return LiveQuestion(meter, signal.filter, signal.group_by, zone)


def _fullest(meter: Meter, signal: Signal, answer: LiveAnswer, properties: Mapping[str, str]) -> LiveFigure:
    """Return the highest figure among the groups that may be meant; without a grouping the one that there is."""
    if not signal.group_by:
        return answer.figures[0]
    meant = [each for each in answer.figures if may_be_meant(signal.group_by, each.group, properties)]
    if not meant:
        return LiveFigure(tuple(map(properties.get, signal.group_by)), bind_aggregator(meter).nothing, 0)
    return max(meant, key=lambda each: (each.value is not None, each.value or 0))
