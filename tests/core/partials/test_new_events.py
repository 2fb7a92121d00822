"""Events that are in no segment yet: folded once for a folding, and not again when a checkpoint writes them down."""

from __future__ import annotations

import gc

import pytest
from msgspec.structs import replace

from tallystick import failpoints
from tallystick.identity import Identity
from tallystick.meter import Meter
from tallystick.partials import tail_columns
from tallystick.usage.question import UsageQuestion
from tests.core.engine.conftest import EngineHouse
from tests.core.partials.asking_twice import from_events, from_states
from tests.core.partials.conftest import BY_DAY, METER

COUNT = replace(METER, aggregation="count")
CUSTOMERS = replace(METER, aggregation="unique", field="customer")
ONE_CUSTOMER = replace(BY_DAY, filter={"customer": ("c-3",)}, group_by=())


def take(house: EngineHouse, first: int, count: int, *, value: str = "2.5") -> None:
    """Send events without a checkpoint."""
    batch: list[dict[str, object]] = [
        {
            "id": f"new-{number}",
            "type": "call" if number % 5 else "other",
            "customer": f"c-{number % 11}",
            "time": f"2026-10-{1 + number % 30:02d}T10:00:00Z",
            "value": value,
        }
        for number in range(first, first + count)
    ]
    house.engine.ingest(house.batch(*batch))


def ask(house: EngineHouse, meter: Meter, question: UsageQuestion) -> None:
    assert from_states(house.engine, meter, question) == from_events(house.engine, meter, question)


def test_states_of_new_events_stand_for_the_files_that_they_are_written_to(house: EngineHouse) -> None:
    for meter in (METER, COUNT):
        ask(house, meter, BY_DAY)
    take(house, 0, 40)
    for meter in (METER, COUNT):
        ask(house, meter, BY_DAY)
    take(house, 40, 40)
    misses = house.engine.health().counters["partials_misses"]
    house.engine.checkpoint()
    with failpoints.armed("partials.fold", failpoints.fail):
        for meter in (METER, COUNT):
            ask(house, meter, BY_DAY)
            ask(house, meter, ONE_CUSTOMER)
    assert house.engine.health().counters["partials_misses"] == misses


def test_an_event_that_is_voided_before_or_after_it_is_written_down_counts_no_more(house: EngineHouse) -> None:
    ask(house, METER, BY_DAY)
    take(house, 0, 40)
    for voided in ("new-3", "new-4"):
        ask(house, METER, BY_DAY)
        house.engine.void_events([Identity("", voided)], reason="wrong", remember_missing=False)
        ask(house, METER, BY_DAY)
        house.engine.checkpoint()
        ask(house, METER, BY_DAY)


@pytest.mark.parametrize("value", ["0.000000000001", "-7", "99999999999999999999999999", "9223372036854775807"])
def test_new_events_of_any_value_are_added_exactly(house: EngineHouse, value: str) -> None:
    for first in range(0, 60, 20):
        take(house, first, 20, value=value)
        for meter in (METER, COUNT, CUSTOMERS):
            for question in (BY_DAY, ONE_CUSTOMER, replace(BY_DAY, group_by=())):
                ask(house, meter, question)


def test_new_events_are_folded_without_the_library_as_with_it(
    house: EngineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_columns, "NATIVE", None)
    for first in range(0, 60, 20):
        take(house, first, 20)
        ask(house, METER, BY_DAY)


def test_files_that_a_merge_replaced_are_not_held_by_what_is_remembered_of_them(house: EngineHouse) -> None:
    for first in range(0, 400, 40):
        take(house, first, 40)
        house.engine.checkpoint()
        ask(house, METER, BY_DAY)
    while house.engine.merge():
        pass
    gc.collect()
    listed = {entry.file for entry in house.engine.states_view().view.segments.entries}
    assert {path.name for path in (house.directory / "segments").iterdir()} == listed
