"""What a meter can be grouped by: counted exactly in files and memory, whatever shape the properties have."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.engine import dimensions as engine_dimensions
from tallystick.engine_settings import EngineSettings
from tallystick.errors import InvalidQuestion, NotFound
from tallystick.event import PropertyValue, property_text
from tallystick.identity import Identity
from tallystick.instant import EARLIEST, LATEST, Instant, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.usage.dimensions import Dimensions, DimensionsQuestion

from .conftest import EngineHouse, call

METER = Meter(key="calls", name="Calls", event_type="call", aggregation="count")
NOON = parse_instant("2026-10-30T12:00:00Z")


def found(house: EngineHouse, **asked: object) -> Dimensions:
    question = DimensionsQuestion(**({"end": LATEST} | asked))  # type: ignore[arg-type]
    return house.engine.dimensions("calls", question)


def counts(dimensions: Dimensions) -> dict[str, dict[str, int]]:
    return {item.name: {each.value: each.events for each in item.values} for item in dimensions.items}


def test_names_and_values_are_counted_in_files_and_in_memory_alike(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    house.engine.ingest(
        house.batch(
            *[call(f"a{number}", properties={"region": "eu", "size": 1.0}) for number in range(3)],
            call("b", customer="bolt", properties={"region": "us", 'a name, with "signs"': True}),
            call("other", type="upload", properties={"path": "/"}),
            call("void", properties={"region": "ap"}),
        )
    )
    house.engine.checkpoint()
    house.engine.ingest(house.batch(call("c", customer="bolt", properties={"region": "eu", "tier": "gold"})))
    house.engine.void_events([Identity("", "void")], reason="", remember_missing=False)
    answer = found(house)
    assert (answer.events, answer.is_complete) == (5, True)
    assert counts(answer) == {
        "customer": {"acme": 3, "bolt": 2},
        'a name, with "signs"': {"true": 1},
        "region": {"eu": 4, "us": 1},
        "size": {"1": 3},
        "tier": {"gold": 1},
    }
    assert [(item.events, item.distinct) for item in answer.items if item.name == "region"] == [(5, 2)]
    house.restart()
    assert found(house) == answer


def test_the_filter_of_the_meter_the_range_and_the_name_narrow_what_is_counted(house: EngineHouse) -> None:
    house.engine.put_meter(
        Meter(
            key="calls",
            name="Calls",
            event_type="call",
            aggregation="count",
            filter={"region": ("eu",), "customer": ("acme",)},
        ),
        create=True,
    )
    for number, when in enumerate(("2026-10-30T10:00:00Z", "2026-10-31T10:00:00Z")):
        house.engine.ingest(
            house.batch(
                call(f"in{number}", time=when, properties={"region": "eu", "day": number}),
                call(f"us{number}", time=when, properties={"region": "us", "day": number}),
                call(f"bolt{number}", time=when, customer="bolt", properties={"region": "eu", "day": number}),
            )
        )
        if not number:
            house.engine.checkpoint()
    assert counts(found(house)) == {"customer": {"acme": 2}, "day": {"0": 1, "1": 1}, "region": {"eu": 2}}
    assert counts(found(house, name="day", start=NOON)) == {"day": {"1": 1}}
    assert counts(found(house, name="day", end=NOON)) == {"day": {"0": 1}}
    assert counts(found(house, name="no")) == {}
    assert counts(found(house, values=0)) == {"customer": {}, "day": {}, "region": {}}
    assert found(house, start=NOON, end=NOON) == Dimensions(events=0, oldest=None, is_complete=True, items=[])


def test_only_the_newest_events_are_looked_at_and_that_is_said(
    house: EngineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_dimensions, "EVENTS_LOOKED_AT_MAX", 5)
    house.engine.put_meter(METER, create=True)
    # Three of one time, in a file and in memory: the greatest position is the newest.
    for number in range(4):
        time = format_instant(Instant(NOON + min(number, 1)))
        house.engine.ingest(
            house.batch(*(call(f"{number}-{turn}", time=time, properties={"n": number}) for turn in (0, 1)))
        )
        if number == 2:
            house.engine.checkpoint()
    answer = found(house)
    assert (answer.events, answer.is_complete, answer.oldest) == (5, False, NOON + 1)
    assert counts(answer)["n"] == {"1": 1, "2": 2, "3": 2}


def test_properties_past_the_columns_of_a_file_are_found_in_its_rest(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    wide = {f"p{number:03}": number for number in range(128)}
    house.engine.ingest(
        house.batch(call("wide", properties=wide), call("long", properties={"x" * 100: "y", "p000": "z"}))
    )
    house.engine.checkpoint()
    answer = counts(found(house))
    assert len(answer) == 101
    assert answer["p000"] == {"0": 1, "z": 1}
    assert counts(found(house, name="x" * 100)) == {"x" * 100: {"y": 1}}
    assert counts(found(house, name="p127")) == {"p127": {"127": 1}}


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"start": NOON, "end": EARLIEST}, "to"),
        ({"name": ""}, "name"),
        ({"name": "n" * 300}, "name"),
        ({"values": -1}, "values"),
        ({"values": 1_001}, "values"),
    ],
)
def test_what_cannot_be_asked_is_named(house: EngineHouse, asked: dict[str, object], parameter: str) -> None:
    house.engine.put_meter(METER, create=True)
    with pytest.raises(InvalidQuestion) as refused:
        found(house, **asked)
    assert refused.value.parameter == parameter
    with pytest.raises(NotFound):
        house.engine.dimensions("no", DimensionsQuestion(end=LATEST))


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=6)
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5),
    st.integers(-9, 9).map(Decimal),
    st.booleans(),
)
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=4)


def _sent(properties: dict[str, PropertyValue]) -> dict[str, object]:
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in properties.items()}


@settings(max_examples=25, deadline=None)
@given(groups=st.lists(st.lists(PROPERTIES, min_size=1, max_size=5), min_size=1, max_size=3), is_filed=st.booleans())
def test_counts_are_those_of_the_events(
    groups: list[list[dict[str, PropertyValue]]], *, is_filed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = EngineHouse(tmp_path_factory.mktemp("dimensions"), settings=EngineSettings(disk_free_min_bytes=0))
    try:
        house.engine.put_meter(METER, create=True)
        for number, group in enumerate(groups):
            events = [call(f"{number}-{place}", properties=_sent(properties)) for place, properties in enumerate(group)]
            house.engine.ingest(house.batch(*events))
            if is_filed and not number:
                house.engine.checkpoint()
        expected: dict[str, Counter[str]] = defaultdict(Counter)
        for group in groups:
            for properties in group:
                expected["customer"]["acme"] += 1
                for name, value in properties.items():
                    if name != "customer":
                        expected[name][property_text(value)] += 1
        assert counts(found(house)) == {name: dict(values) for name, values in expected.items()}
    finally:
        house.engine.close()
