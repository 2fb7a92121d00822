"""Events that come again in the order of the log: found by stretches, and never taken for what they are not."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tallystick.dedupe import Candidates, DedupeIndex, Suspects
from tallystick.engine_settings import EngineSettings
from tallystick.identity import Identity
from tallystick.native.library import LOADED
from tallystick.store import IngestAnswer

from .conftest import EngineHouse, call

COUNT = 200

Said = tuple[str, int]  # an id, and what the event says


def events(said: list[Said]) -> list[dict[str, object]]:
    return [call(event_id, value=value, properties={"n": value}) for event_id, value in said]


def drawn(random: Random, log: list[Said], number: int) -> list[Said]:
    """Return a request made of stretches of what was sent before, with some new, some changed and some moved among them."""
    said: list[Said] = []
    while len(said) < COUNT:
        start = random.randrange(len(log) + 1)
        stretch = log[start : start + random.choice((1, 7, 8, 9, 60, 150))]
        if random.random() < 0.3:
            random.shuffle(stretch)
        for event_id, value in stretch:
            said.append((event_id, value + (random.random() < 0.02)))
        said += [(f"new-{number}-{len(said)}-{extra}", 1) for extra in range(random.choice((0, 0, 1, 30)))]
    return said


def test_what_comes_again_in_any_mixture_is_decided_as_one_by_one(house: EngineHouse) -> None:
    random = Random(7)
    log: list[Said] = []
    values: dict[str, int] = {}
    again: dict[str, int] = {}
    for number in range(25):
        said = drawn(random, log, number)
        answer = house.engine.ingest(house.batch(*events(said)))
        accepted = duplicates = conflicts = 0
        for event_id, value in said:
            if event_id not in values:
                values[event_id] = value
                log.append((event_id, value))
                accepted += 1
            elif values[event_id] == value:
                again[event_id] = again.get(event_id, 0) + 1
                duplicates += 1
            else:
                conflicts += 1
        assert (answer.accepted, answer.duplicates, answer.conflicts) == (accepted, duplicates, conflicts)
        if number % 4 == 1:
            house.engine.checkpoint()
        if number % 10 == 9:
            house.restart()
    for position, (event_id, _) in enumerate(log):
        if position % 37 == 0:
            receipt = house.engine.receipt(Identity("", event_id))
            assert receipt is not None
            assert receipt.duplicates_seen == again.get(event_id, 0)


@pytest.mark.parametrize("checkpoints", [False, True])
def test_a_batch_sent_again_costs_one_look_into_the_index(
    house: EngineHouse, monkeypatch: pytest.MonkeyPatch, *, checkpoints: bool
) -> None:
    assert LOADED.library is not None, LOADED.absence
    said = [(f"id-{number}", number) for number in range(COUNT)]
    house.engine.ingest(house.batch(*events(said)))
    if checkpoints:
        house.engine.checkpoint()
    looks: list[int] = []
    look = DedupeIndex.positions_of_suspect

    def spied(index: DedupeIndex, suspects: Suspects, row: int) -> list[int]:
        looks.append(row)
        return look(index, suspects, row)

    def never(*_arguments: object) -> Candidates:
        raise AssertionError("an event was looked up one by one")

    monkeypatch.setattr(DedupeIndex, "positions_of_suspect", spied)
    monkeypatch.setattr(DedupeIndex, "_search", never)
    assert house.engine.ingest(house.batch(*events(said))) == IngestAnswer(0, COUNT, 0, [])
    assert looks == [0]


def test_looks_in_vain_are_bounded(house: EngineHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [(f"id-{number}", number) for number in range(COUNT)]
    house.engine.ingest(house.batch(*events(said)))
    looks: list[int] = []
    look = DedupeIndex.positions_of_suspect

    def spied(index: DedupeIndex, suspects: Suspects, row: int) -> list[int]:
        looks.append(row)
        return look(index, suspects, row)

    monkeypatch.setattr(DedupeIndex, "positions_of_suspect", spied)
    assert house.engine.ingest(house.batch(*events(said[::-1]))) == IngestAnswer(0, COUNT, 0, [])
    assert len(looks) <= 16


def test_with_a_window_every_event_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = EngineSettings(dedupe_window_s=60, disk_free_min_bytes=0)
    house = EngineHouse(tmp_path / "windowed", settings=settings)
    said = [(f"id-{number}", number) for number in range(COUNT)]
    house.engine.ingest(house.batch(*events(said)))

    def never(*_arguments: object) -> list[int]:
        raise AssertionError("whether an event is too old was not asked")

    monkeypatch.setattr(DedupeIndex, "positions_of_suspect", never)
    assert house.engine.ingest(house.batch(*events(said))) == IngestAnswer(0, COUNT, 0, [])
    house.clock.advance(61)
    assert house.engine.ingest(house.batch(*events(said))) == IngestAnswer(COUNT, 0, 0, [])
    house.engine.close()
