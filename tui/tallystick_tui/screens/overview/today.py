"""What was used today, beside yesterday at the same hour: which questions that takes, and what their answers say.

Today begins at the midnight of the viewer's zone. Yesterday ends at the same time of day, which is 23 or 25 hours ago on days on which
clocks change. Both are totals over exact instants, never sums of hours; the hours are drawn only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tallystick_tui.connection.failure import Refused
from tallystick_tui.connection.usage_answer import Query, UsageAnswer
from tallystick_tui.texts.moments import parsed, rfc3339

HOURS = 24
QUERIES_A_METER = 3


@dataclass(frozen=True, slots=True)
class Day:
    """The parts of two days that are compared."""

    start: datetime
    now: datetime
    yesterday_start: datetime
    yesterday_same_time: datetime
    zone_name: str


@dataclass(frozen=True, slots=True)
class MeterToday:
    """One meter's figures; `refusal` is why it has none."""

    today: Decimal | None = None
    yesterday: Decimal | None = None
    hours: tuple[float | None, ...] = ()
    refusal: str = ""


def day_at(now: datetime, zone: ZoneInfo) -> Day:
    """Return today and yesterday as they are at an instant."""
    # Without a zone, arithmetic is of the calendar; with one, Python adds 24 hours of wall time all the same, but compares otherwise.
    local = now.astimezone(zone).replace(tzinfo=None, fold=0)
    midnight = datetime(local.year, local.month, local.day)  # noqa: DTZ001 - wall time, given its zone below

    def instant(wall: datetime) -> datetime:
        return wall.replace(tzinfo=zone).astimezone(UTC)

    a_day = timedelta(days=1)
    return Day(instant(midnight), now.astimezone(UTC), instant(midnight - a_day), instant(local - a_day), zone.key)


def queries_of(meter: str, day: Day) -> list[Query]:
    """Return what to ask about a meter: today, yesterday, and the last hours."""
    hours_start = day.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    return [
        {"meter": meter, "from": rfc3339(day.start), "to": rfc3339(day.now)},
        {"meter": meter, "from": rfc3339(day.yesterday_start), "to": rfc3339(day.yesterday_same_time)},
        {"meter": meter, "from": rfc3339(hours_start), "to": rfc3339(day.now), "window": "hour", "fill": "zero"},
    ]


def top_query(meter: str, day: Day, *, limit: int) -> Query:
    """Return what to ask for the customers who used most of a meter today."""
    return {
        "meter": meter,
        "from": rfc3339(day.start),
        "to": rfc3339(day.now),
        "group_by": ["customer"],
        "order": "desc",
        "limit": limit,
    }


def meter_today(answers: Sequence[UsageAnswer | Refused], day: Day) -> MeterToday:
    """Return what the answers to `queries_of` say."""
    refused = next((answer for answer in answers if isinstance(answer, Refused)), None)
    found = [answer for answer in answers if isinstance(answer, UsageAnswer)]
    if refused is not None or len(found) < QUERIES_A_METER:
        return MeterToday(refusal=str(refused or "no answer"))
    today, yesterday, hours = found
    return MeterToday(today.total.value, yesterday.total.value, _by_hour(hours, day))


def _by_hour(answer: UsageAnswer, day: Day) -> tuple[float | None, ...]:
    """Return a figure for each of the last hours; none where the meter has none."""
    first_s = day.now.replace(minute=0, second=0, microsecond=0).timestamp() - (HOURS - 1) * 3_600
    figures: list[float | None] = [None] * HOURS
    for row in answer.rows:
        place = int((parsed(row.start).timestamp() - first_s) // 3_600)
        if 0 <= place < HOURS and row.value is not None:
            figures[place] = float(row.value)
    return tuple(figures)
