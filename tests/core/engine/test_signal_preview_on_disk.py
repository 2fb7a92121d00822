"""A preview of what is on disk, in segments and in memory, is that of the same events in a list."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from msgspec import structs

from tallystick.customer import Customer
from tallystick.errors import InvalidDefinition, InvalidQuestion
from tallystick.event import Event
from tallystick.identity import Identity
from tallystick.instant import format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.signals import preview_growth
from tallystick.signals.preview import Preview, PreviewQuestion, preview_signal
from tallystick.signals.signal import Condition, ConditionType, Direction, Measure, Period, Signal
from tallystick.testing.frames import ListedFrames
from tests.core.usage.asking import call

from .conftest import EngineHouse

QUESTION = PreviewQuestion(
    start=parse_instant("2026-09-05T00:00:00Z"), end=parse_instant("2026-10-31T00:00:00Z"), limit=1_000
)


def threshold(*values: int) -> Condition:
    return Condition(type=ConditionType.THRESHOLD, thresholds=tuple(map(Decimal, values)))


SIGNALS = [
    Signal(key="s", meter="m", customer="*", condition=threshold(30, 90)),
    Signal(key="s", meter="m", period=Period.WEEK, timezone="Europe/Berlin", condition=threshold(40)),
    Signal(key="s", meter="m", customer="*", group_by=("region",), timezone="customer", condition=threshold(20)),
    Signal(
        key="s",
        meter="m",
        customer="c1",
        period=Period.DAY,
        condition=Condition(type=ConditionType.PERCENT_CHANGE, value=Decimal(50), direction=Direction.DOWN),
    ),
    Signal(key="s", meter="m", customer="*", condition=Condition(type=ConditionType.NO_DATA, silence_s=86_400)),
]


def filled(house: EngineHouse) -> list[Event]:
    """Write two months of events, some in segments and some not, of which one is voided; return those that count."""
    chance = random.Random(5)
    events = [
        call(
            f"2026-{chance.choice((9, 10)):02}-{chance.randint(1, 30):02}T{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:00Z",
            customer=f"c{chance.randint(0, 4)}",
            value=str(chance.randint(1, 9)),
            region=chance.choice(("eu", "us")),
        )
        for _ in range(300)
    ]
    for start in range(0, len(events), 60):
        house.engine.ingest(house.batch(*map(sent, events[start : start + 60])))
        if start < 240:
            house.engine.checkpoint()
    house.engine.void_events([Identity("", events[7].id)], reason="test", remember_missing=False)
    house.engine.put_customer(Customer(key="c2", time_zone="America/New_York"), create=True)
    return [*events[:7], *events[8:]]


def sent(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "type": event.type,
        "customer": event.customer,
        "time": format_instant(event.time),
        "value": str(event.value),
        "properties": dict(event.properties),
    }


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "unique", "avg", "level"])
@pytest.mark.parametrize("few", [0, 10**9])
def test_what_is_in_segments_and_in_memory_is_previewed_as_a_list_is(
    house: EngineHouse, monkeypatch: pytest.MonkeyPatch, aggregation: str, few: int
) -> None:
    monkeypatch.setattr(preview_growth, "_FEW", few)
    events = filled(house)
    meter = Meter(key="m", name="M", event_type="call", aggregation=aggregation)
    house.engine.put_meter(meter, create=True)
    for signal in SIGNALS:
        wanted = preview_signal(ListedFrames(events), meter, signal, QUESTION, zones={"c2": "America/New_York"})
        assert comparable(house.engine.signals.preview(signal, QUESTION)) == comparable(wanted)
        assert wanted.firings + wanted.subjects_seen > 0


def comparable(found: Preview) -> Preview:
    """Return a preview whose steps of one instant are in an order that means something."""
    steps = sorted(found.steps, key=lambda step: (step.at, str(step.subject), step.level))
    top = sorted(found.top, key=lambda each: (each.firings, str(each.subject)))
    return structs.replace(found, steps=steps, top=top)


def test_a_preview_ends_now_and_refuses_what_is_no_question(house: EngineHouse) -> None:
    filled(house)
    house.engine.put_meter(Meter(key="m", name="M", event_type="call", aggregation="sum"), create=True)
    preview = house.engine.signals.preview
    signal = SIGNALS[0]
    later = structs.replace(QUESTION, end=parse_instant("2030-01-01T00:00:00Z"))
    assert preview(signal, later).end == house.clock.now()
    for changed, parameter in (
        ({"limit": 0}, "limit"),
        ({"top": 51}, "top"),
        ({"end": parse_instant("2026-01-01T00:00:00Z")}, "to"),
    ):
        with pytest.raises(InvalidQuestion) as refused:
            preview(signal, structs.replace(QUESTION, **changed))
        assert refused.value.parameter == parameter
    for wrong, field in (({"meter": "gone"}, "meter"), ({"measure": Measure.COST}, "measure")):
        with pytest.raises(InvalidDefinition) as no_signal:
            preview(structs.replace(signal, **wrong), QUESTION)
        assert no_signal.value.field == field
