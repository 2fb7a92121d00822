"""What a customer used of each meter: this month of its calendar, the same part of the month before, and day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.meter import Meter
from tallystick_tui.connection.usage_answer import Query, ask_usages
from tallystick_tui.texts.moments import parsed, rfc3339

METERS_MAX: Final = 100
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """One meter. `days` are seconds since the epoch and a figure (None: none), from the begin of the month before.

    `refusal` says why there is nothing.
    """

    meter: Meter
    present: Decimal | None = None
    previous: Decimal | None = None
    events: int = 0
    days: tuple[tuple[float, float | None], ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Months:
    """This month so far and the same part of the month before, `[start, end)` each."""

    start: datetime
    end: datetime
    previous_start: datetime
    previous_end: datetime


def months_at(now: datetime, zone: ZoneInfo) -> Months:
    """Return the months of a calendar; the part of the month before is as long as this month is old, and ends with it at the latest."""
    local = now.astimezone(zone)
    start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (start - timedelta(days=1)).replace(day=1)
    # By the calendar's clock, so that a change to or from summer time within does not move the hour of the day.
    naive_end = before.replace(tzinfo=None) + (local.replace(tzinfo=None) - start.replace(tzinfo=None))
    return Months(start, now, before, min(naive_end.replace(tzinfo=zone), start))


async def ask_customer_usage(
    client: ApplianceClient, customer: str, meters: Sequence[Meter], months: Months, zone: ZoneInfo
) -> list[MeterUsage]:
    """Return the usage of at most a hundred meters. Raises `ApplianceFailure`."""
    shown = list(meters[:METERS_MAX])
    queries = [query for meter in shown for query in _queries(meter.key, customer, months, zone)]
    found = [MeterUsage(meter) for meter in shown]
    async for place, answer in ask_usages(client, queries):
        number, part = divmod(place, _PARTS)
        if isinstance(answer, Exception):
            found[number] = replace(found[number], refusal=str(answer))
        elif part == 0:
            found[number] = replace(found[number], present=answer.total.value, events=answer.total.events)
        elif part == 1:
            found[number] = replace(found[number], previous=answer.total.value)
        else:
            days = tuple(
                (parsed(row.start).timestamp(), None if row.value is None else float(row.value)) for row in answer.rows
            )
            found[number] = replace(found[number], days=days)
    return found


def _queries(meter: str, customer: str, months: Months, zone: ZoneInfo) -> list[Query]:
    who: Query = {"meter": meter, "filter": {"customer": [customer]}, "timezone": zone.key}
    previous, start, end = (rfc3339(each) for each in (months.previous_start, months.start, months.end))
    return [
        {**who, "from": start, "to": end},
        {**who, "from": previous, "to": rfc3339(months.previous_end)},
        {**who, "from": previous, "to": end, "window": "day", "fill": "zero"},
    ]
