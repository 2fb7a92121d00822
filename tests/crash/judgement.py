"""What must hold of a directory after any fault: judged with the engine's own questions and, apart from them, by scanning the log.

Nothing that was acknowledged is missing, nothing is there twice, no figure is other than the sum of what is there, `verify` finds
nothing, and what is sent again is a duplicate where it is there and counted where it is not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tallystick.engine import Engine
from tallystick.engine.engine import ignore_progress
from tallystick.event import EventState
from tests.crash import numbered_events, small_engine
from tests.crash.numbered_events import BATCH_EVENTS, event_id, number_of, numbers
from tests.crash.signal_load import judge_signals
from tests.crash.witness import acknowledged

# How far beyond the last acknowledged batch a client may have sent.
_SENT_BEYOND = 6
_EVENTS_SENT_AGAIN_AT_ONCE = 1_000


def judge(directory: Path, told: bytes) -> None:
    """Open the directory and compare it with what was told; fails with the first difference."""
    engine = small_engine.opened(directory, with_background=False)
    try:
        there = _judge_what_is_there(engine, told)
        _judge_what_is_sent_again(engine, told, there)
    finally:
        engine.close()


@dataclass(frozen=True)
class There:
    """The numbers of the events that were found, and of those that no longer count."""

    events: set[int]
    voided: set[int]


def _judge_what_is_there(engine: Engine, told: bytes) -> There:
    witnessed = acknowledged(told)
    found: Counter[int] = Counter()
    voided: set[int] = set()
    for stored in engine.scan_log():
        number = number_of(stored.event.id)
        found[number] += 1
        assert stored.event.value == numbered_events.value(number)
        if stored.state is EventState.VOIDED:
            voided.add(number)
    double = [event_id(number) for number, times in found.items() if times != 1]
    assert double == [], "counted more than once"
    lost = [event_id(number) for batch in witnessed.batches for number in numbers(batch) if number not in found]
    assert lost == [], "acknowledged and not there"
    never_sent = [
        number for number in found if number // BATCH_EVENTS > max(witnessed.batches, default=-1) + _SENT_BEYOND
    ]
    assert never_sent == [], "there and never sent"
    assert witnessed.voids <= voided, "a void was acknowledged and is not there"
    _judge_figures(engine, set(found) - voided)
    judge_signals(engine)
    report = engine.verify(ignore_progress)
    assert report.problems == []
    assert report.events == len(found)
    return There(set(found), voided)


def _judge_what_is_sent_again(engine: Engine, told: bytes, there: There) -> None:
    end = (max(acknowledged(told).batches, default=-1) + _SENT_BEYOND + 1) * BATCH_EVENTS
    for start in range(0, end, _EVENTS_SENT_AGAIN_AT_ONCE):
        again = range(start, min(start + _EVENTS_SENT_AGAIN_AT_ONCE, end))
        expected = sum(number in there.events for number in again)
        answer = engine.ingest(small_engine.batch_of(numbered_events.body(again)))
        assert (answer.accepted, answer.duplicates) == (len(again) - expected, expected), f"{again} sent again"
    everything = set(range(end))
    assert engine.health().event_count == len(everything)
    _judge_figures(engine, everything - there.voided)


def _judge_figures(engine: Engine, counted: set[int]) -> None:
    assert small_engine.figure(engine, small_engine.COUNT) == len(counted)
    assert small_engine.figure(engine, small_engine.SUM) == numbered_events.total(counted)
