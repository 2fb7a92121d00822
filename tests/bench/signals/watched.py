"""What is watched: 1,000 signals on each of 10,000 customers, in a mix of meters, calendar periods, filters and conditions.

960 are thresholds over 48 questions (four meters, four periods, three filters), 36 are changes against the period before, 4 are silence.
A hundredth of the customers sends a fifth of the events. 240 of the thresholds stand where those pass them, before the run or within it:
steps that are taken and told to nobody. The rest, but for those of hours, are what the probes climb: a unit apart, far above anything else,
so that one event of a probe crosses exactly one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from random import Random

import msgspec

from tallystick.meter import Meter
from tallystick.signals.signal import Condition, ConditionType, Direction, Period, Signal

CUSTOMERS = 10_000
HEAVY_CUSTOMERS = 100
CHANNEL = "bench"
# No customer but the probes comes near.
CLIMB_FROM = 1_000_000_000
FIELDS = ("value", "properties.tokens", "properties.bytes", "properties.seconds")
METERS = [
    Meter(key=f"meter{place}", name=f"Meter {place}", event_type="call", aggregation="sum", field=field)
    for place, field in enumerate(FIELDS)
]
FILTERS: Sequence[dict[str, tuple[str, ...]]] = ({}, {"region": ("eu",)}, {"model": ("large", "small")})
_PER_WATCH = 20
_REACHED_PER_WATCH = 5
# What an event adds to each meter, on average.
_USUAL = (10, 25, 45, 4)


def signals() -> list[Signal]:
    """Return the 1,000 signals."""
    found = list(_thresholds())
    for place, (meter, period, kind) in enumerate(product(METERS, (Period.HOUR, Period.DAY, Period.MONTH), (0, 1, 2))):
        change = (
            Condition(
                type=ConditionType.PERCENT_CHANGE, value=Decimal(500), direction=Direction.UP, floor=Decimal(10**8)
            ),
            Condition(
                type=ConditionType.PERCENT_CHANGE, value=Decimal(95), direction=Direction.DOWN, floor=Decimal(10**8)
            ),
            Condition(type=ConditionType.ABSOLUTE_CHANGE, value=Decimal(10**12), direction=Direction.ANY),
        )[kind]
        found.append(Signal(key=f"change{place}", meter=meter.key, customer="*", period=period, condition=change))
    found += [
        Signal(
            key=f"silence{place}",
            meter=meter.key,
            customer="*",
            condition=Condition(type=ConditionType.NO_DATA, silence_s=86_400),
        )
        for place, meter in enumerate(METERS)
    ]
    return found


def _thresholds() -> Iterator[Signal]:
    # A probe's event counts in all watches of its meter, so the rungs of all of them are apart.
    climbed = {meter.key: 0 for meter in METERS}
    for place, (meter, period, filter_) in enumerate(product(METERS, Period, FILTERS)):
        for number in range(_PER_WATCH):
            is_reached = number < _REACHED_PER_WATCH
            # Nobody climbs within an hour: one might end while the probes do.
            climbed[meter.key] += not is_reached and period is not Period.HOUR
            reached = 200 * _USUAL[METERS.index(meter)] * (number + 1)
            climb = CLIMB_FROM * 10 + number if period is Period.HOUR else CLIMB_FROM + climbed[meter.key]
            value = reached if is_reached else climb
            yield Signal(
                key=f"t{place}-{number}",
                meter=meter.key,
                customer="*",
                period=period,
                filter=filter_,
                # What usual customers pass is recorded, and told to nobody: the messages that are timed are the probes'.
                channels=() if is_reached else (CHANNEL,),
                condition=Condition(type=ConditionType.THRESHOLD, value=Decimal(value)),
            )


def climbs_of_a_meter() -> int:
    """Return how many rungs a probe of one meter can climb."""
    return (len(Period) - 1) * len(FILTERS) * (_PER_WATCH - _REACHED_PER_WATCH)


def usual_body(random: Random, *, events: int, prefix: str) -> bytes:
    """Return events of usual customers, which happen when they arrive."""
    return msgspec.json.encode(
        [
            {
                "id": f"{prefix}-{number}",
                "type": "call",
                "customer": f"customer{random.randrange(CUSTOMERS if random.random() < 0.8 else HEAVY_CUSTOMERS)}",
                "value": random.randrange(1, 20),
                "properties": {
                    "tokens": random.randrange(1, 50),
                    "bytes": random.randrange(1, 90),
                    "seconds": random.randrange(1, 9),
                    "region": random.choice(("eu", "us", "ap")),
                    "model": random.choice(("large", "small", "tiny")),
                },
            }
            for number in range(events)
        ]
    )


def probe_event(meter: int, *, climb_to: int, event_id: str, customer: str) -> dict[str, object]:
    """Return an event that climbs one rung of its meter (to 0: to just below the first)."""
    amount = CLIMB_FROM if climb_to == 0 else 1
    fields = {field.removeprefix("properties."): 0 for field in FIELDS}
    fields[FIELDS[meter].removeprefix("properties.")] = amount
    value = fields.pop("value")
    properties = {**fields, "region": "eu", "model": "large"}
    return {"id": event_id, "type": "call", "customer": customer, "value": value, "properties": properties}
