"""What meters make of both sides of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tallystick.catalog.catalog import Catalog
from tallystick.errors import InvalidQuestion, NotFound
from tallystick.event import Position
from tallystick.instant import Clock
from tallystick.meter import Meter
from tallystick.reconcile.claims import WHOLE, Claims
from tallystick.reconcile.question import Direction, ReconcileQuestion
from tallystick.reconcile.reconciliation import MeterSides
from tallystick.segments.event_list import EventList
from tallystick.statement.state_meter import is_carried
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.event_frames import CUSTOMER, EventFrames
from tallystick.usage.question import Fill, UsageQuestion

METERS_MAX: Final = 50


class MeterComparison:
    """Asks each meter of a question about the claims, and about the log where both directions are asked."""

    def __init__(self, frames: EventFrames, catalog: Catalog, *, clock: Clock) -> None:
        self._frames, self._catalog, self._clock = frames, catalog, clock

    def compare(
        self, claims: Claims, rows: Sequence[int], question: ReconcileQuestion, *, as_of: Position
    ) -> list[MeterSides]:
        """Return both figures of each meter, in the version in force at `as_of`. Raises `InvalidQuestion`, `NotFound`."""
        if not question.meters:
            return []
        meters = [self._meter(key, as_of) for key in self._keys(question)]
        _check_whole(claims, rows)
        listed = EventList()
        listed.add(claims.events, rows, [row + 1 for row in rows])
        return [self._sides(meter, listed, question, as_of) for meter in meters]

    def _keys(self, question: ReconcileQuestion) -> Sequence[str]:
        keys = question.meters
        if len(keys) > METERS_MAX or len(set(keys)) < len(keys):
            raise InvalidQuestion("meter", f"give at most {METERS_MAX} meters, each once")
        if question.source is not None:
            raise InvalidQuestion("meter", "figures are not kept by source: leave meter or source out")
        return keys

    def _meter(self, key: str, as_of: Position) -> Meter:
        meter = self._catalog.meters.get(key)
        if meter is None:
            raise NotFound("meter", key)
        meter = self._catalog.meter_versions.as_of(meter, as_of).meter
        if is_carried(meter):
            raise InvalidQuestion(
                "meter",
                f"{key} is a {meter.aggregation}: it depends on what came before the range, which a list of its events does not tell",
            )
        return meter

    def _sides(self, meter: Meter, listed: EventList, question: ReconcileQuestion, as_of: Position) -> MeterSides:
        asked = UsageQuestion(
            start=question.start, end=question.end, filter={CUSTOMER: (question.customer,)}, fill=Fill.ZERO
        )
        (yours,) = answer_usage(listed, meter, asked, clock=self._clock).totals
        if question.direction is Direction.YOURS:
            return MeterSides(meter.key, meter.version, yours.value, yours.events, None, None)
        as_known = UsageQuestion(start=asked.start, end=asked.end, filter=asked.filter, fill=Fill.ZERO, as_of=as_of)
        (appliance,) = answer_usage(self._frames, meter, as_known, clock=self._clock).totals
        return MeterSides(meter.key, meter.version, yours.value, yours.events, appliance.value, appliance.events)


def _check_whole(claims: Claims, rows: Sequence[int]) -> None:
    for row in rows:
        if claims.given[row] != WHOLE or not claims.events.times_given[row]:
            raise InvalidQuestion(
                "meter", f"is made of whole events, and item {claims.indexes[row]} names no type or no time"
            )
