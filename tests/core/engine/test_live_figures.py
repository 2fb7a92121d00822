"""Running figures agree with the normal question after whatever happened to the log, and with a dictionary of events."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec import structs

from tallystick.amount import EXACT
from tallystick.engine import kept_states, live_figures, live_follower, recent_events, tidying
from tallystick.engine.live_figure import LiveFigure
from tallystick.engine.live_follower import LiveFollower
from tallystick.engine.live_question import LiveQuestion
from tallystick.identity import Identity
from tallystick.instant import Instant, parse_instant
from tallystick.meter import Meter
from tallystick.signals.calendar_period import Span
from tallystick.usage.question import UsageQuestion
from tests.core.usage.asking import meter

from .conftest import EngineHouse, call
from .plain_model import PlainModel, Sent

CUSTOMERS = ["acme", "globex", "initech", "nobody"]
METERS = [
    meter("count"),
    meter("count", field="properties.region"),
    meter("sum", filter={"region": ("eu",)}),
    meter("sum", field="properties.size"),
    meter("avg"),
    meter("min"),
    meter("max", field="properties.size"),
    meter("latest"),
    meter("unique", field="properties.region"),
    meter("unique", fields=("value", "customer")),
    meter("sum", filter={"customer": ("acme", "globex")}),
    meter("level", series="region"),
    meter("duration", timeout=900, series="region"),
]
SPANS = [
    Span(parse_instant("2026-11-01T00:00:00Z"), parse_instant("2026-12-01T00:00:00Z")),
    Span(parse_instant("2026-11-01T10:05:00Z"), parse_instant("2026-11-01T10:30:00Z")),
    Span(parse_instant("2026-10-31T23:00:00Z"), parse_instant("2026-11-30T23:00:00Z")),
]
live_questions = st.builds(
    LiveQuestion,
    meter=st.sampled_from(METERS),
    filter=st.sampled_from([{}, {}, {"region": ("us", "eu")}, {"customer": ("acme", "initech")}]),
    group_by=st.sampled_from([(), (), ("region",), ("region", "size")]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
)


class Sized(Sent):
    """An event with a property that is not always a number, and for some not there."""

    @property
    def size(self) -> str | None:
        return {"1": "7", "2.5": "1.25", "-3": "large"}.get(self.value)

    def as_json(self) -> dict[str, object]:
        properties = {"region": self.region} | ({} if self.size is None else {"size": self.size})
        return super().as_json() | {"properties": properties}


sent_events = st.builds(
    Sized,
    id=st.sampled_from([f"id-{number}" for number in range(60)]),
    customer=st.sampled_from(CUSTOMERS[:3]),
    value=st.sampled_from(["1", "2.5", "-3", "0.000000000001", "99999999999999999999999999.999999999999"]),
    region=st.sampled_from(["eu", "us"]),
    minute=st.sampled_from([0, 0, 5, 10, 30, 59]),
)


def asked_normally(house: EngineHouse, asked: LiveQuestion, customer: str | None, span: Span) -> dict[object, object]:
    """Return value and events by group, as the question that everybody asks answers them."""
    own = {} if customer is None else {"customer": (customer,)}
    wanted = asked.filter.get("customer")
    if customer is not None and wanted is not None and customer not in wanted:
        own = {"customer": ("nobody at all",)}
    question = UsageQuestion(
        start=span.start, end=span.end, timezone=asked.timezone, group_by=asked.group_by, filter={**asked.filter, **own}
    )
    totals = house.engine.preview(asked.meter, question).totals
    return {tuple(total.group.values()): (repr(total.value), total.events) for total in totals}


def by_group(figures: Sequence[LiveFigure]) -> dict[object, object]:
    return {each.group: (repr(each.value), each.events) for each in figures}


def without_nothing(figures: Sequence[LiveFigure]) -> dict[object, object]:
    """Leave out the figure of no events, which a question without `fill` does not answer."""
    return by_group([each for each in figures if each.events])


class LiveFiguresAgree(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-live-"))
        self.house = EngineHouse(self.folder / "data")
        self.model = PlainModel()

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.engine.close()
            shutil.rmtree(self.folder)

    @rule(batch=st.lists(sent_events, min_size=1, max_size=12))
    def send(self, batch: list[Sized]) -> None:
        self.house.engine.ingest(self.house.batch(*[event.as_json() for event in batch]))
        self.model.send(list(batch))

    @rule(number=st.integers(0, 10_000))
    def send_many(self, number: int) -> None:
        """Send more at once than is folded one by one."""
        self.send([Sized(f"many-{number}-{place}", "acme", "1", "eu", place % 60) for place in range(150)])

    @rule(numbers=st.sets(st.integers(0, 59), min_size=1, max_size=4), remember=st.booleans())
    def void(self, numbers: set[int], *, remember: bool) -> None:
        ids = {f"id-{number}" for number in numbers}
        targets = [Identity("", each) for each in sorted(ids)]
        self.house.engine.void_events(targets, reason="wrong", remember_missing=remember)
        self.model.void(ids, remember=remember)

    @rule()
    def checkpoint(self) -> None:
        self.house.engine.checkpoint()

    @rule()
    def merge(self) -> None:
        while self.house.engine.merge():
            pass

    @rule()
    def restart(self) -> None:
        self.house.restart()

    @rule()
    def follow(self) -> None:
        self.house.engine.live_figures.follow()

    @rule()
    def tidy(self) -> None:
        """Let some of the events go, where there are many of them."""
        self.house.engine.live_figures.tidy()

    @rule(asked=live_questions, customer=st.sampled_from([*CUSTOMERS, None]), span=st.sampled_from(SPANS))
    def figures_agree(self, asked: LiveQuestion, customer: str | None, span: Span) -> None:
        live = self.house.engine.live_figures
        expected = asked_normally(self.house, asked, customer, span)
        at_once = live.figure_at_once(asked, customer, span)
        answer = live.figure(asked, customer, span)
        again = live.figure_at_once(asked, customer, span)
        assert answer.is_running == (asked.meter.aggregation not in {"level", "duration"})
        for each in [at_once, answer, again]:
            if each is not None:
                assert each.position == self.house.engine.log_head().position
                if each.is_running:
                    assert without_nothing(each.figures) == expected
                else:
                    assert expected.items() <= by_group(each.figures).items()
                assert asked.group_by or len(each.figures) == 1

    @rule(
        asked=live_questions,
        customers=st.lists(st.sampled_from(CUSTOMERS), max_size=4),
        span=st.sampled_from(SPANS),
    )
    def many_figures_agree(self, asked: LiveQuestion, customers: list[str], span: Span) -> None:
        answers = self.house.engine.live_figures.figures_of(asked, customers, span)
        assert answers.figures.keys() == set(customers)
        for customer, figures in answers.figures.items():
            expected = asked_normally(self.house, asked, customer, span)
            if answers.is_running:
                assert without_nothing(figures) == expected
            else:
                assert expected.items() <= by_group(figures).items()

    @rule(customer=st.sampled_from(CUSTOMERS))
    def sums_are_those_of_the_plain_model(self, customer: str) -> None:
        answer = self.house.engine.live_figures.figure(LiveQuestion(meter("sum")), customer, SPANS[0])
        values = [event.value for event in self.model.counted() if event.customer == customer]
        assert [each.events for each in answer.figures] == [len(values)]
        assert answer.figures[0].value == reduce(EXACT.add, values, Decimal(0))


TestLiveFigures = LiveFiguresAgree.TestCase
TestLiveFigures.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class LiveFiguresWithOtherBounds(LiveFiguresAgree):
    """The same with some names of modules and classes set to other values."""

    BOUNDS: ClassVar[Sequence[tuple[object, str, object]]]

    @initialize()
    def start(self) -> None:
        self.patch = pytest.MonkeyPatch()
        for owner, name, value in self.BOUNDS:
            self.patch.setattr(owner, name, value)
        super().start()

    def teardown(self) -> None:
        super().teardown()
        self.patch.undo()


class LiveFiguresInLittleRoom(LiveFiguresWithOtherBounds):
    """The same where nothing fits: events and states go all the time."""

    BOUNDS = (
        (recent_events, "RECENT_EVENTS_MAX", 20),
        (kept_states, "STATES_MAX", 5),
        (kept_states, "STATE_SIZE_MAX", 3),
        (live_figures, "ROWS_ONE_BY_ONE_MAX", 2),
        (live_figures, "VOIDS_LOOKED_UP_MAX", 2),
    )


TestLiveFiguresInLittleRoom = LiveFiguresInLittleRoom.TestCase
TestLiveFiguresInLittleRoom.settings = TestLiveFigures.settings


def is_large(recent: recent_events.RecentEvents) -> bool:
    return len(recent) > 80


class LiveFiguresWhileEventsGo(LiveFiguresWithOtherBounds):
    """The same where events are always about to go, a few at a time, and states stay."""

    BOUNDS = (
        (recent_events, "RECENT_EVENTS_MAX", 8),
        (recent_events.RecentEvents, "is_too_large", is_large),
        (tidying, "EVENTS_AT_ONCE", 4),
    )


TestLiveFiguresWhileEventsGo = LiveFiguresWhileEventsGo.TestCase
TestLiveFiguresWhileEventsGo.settings = TestLiveFigures.settings


def test_states_take_in_events_before_those_go_and_are_not_built_anew(
    loaded: EngineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_events, "RECENT_EVENTS_MAX", 200)
    live = loaded.engine.live_figures
    before = {customer: count_of(loaded, customer) for customer in CUSTOMERS}
    built = live.misses
    for batch in range(50):
        events = [Sized(f"{customer}-{batch}-{n}", customer, "1", "eu", n) for n in range(20) for customer in CUSTOMERS]
        loaded.engine.ingest(loaded.batch(*[event.as_json() for event in events]))
        live.follow()
        while live.tidy():
            pass
    assert {customer: count_of(loaded, customer) for customer in CUSTOMERS} == {
        customer: count + 1_000 for customer, count in before.items()
    }
    assert live.misses == built


@pytest.fixture
def loaded(house: EngineHouse) -> EngineHouse:
    house.engine.ingest(house.batch(*(call(f"id-{number}") for number in range(10))))
    return house


QUESTION = LiveQuestion(meter("count"))


def count_of(house: EngineHouse, customer: str = "acme", asked: LiveQuestion = QUESTION) -> int:
    (found,) = house.engine.live_figures.figure(asked, customer, SPANS[0]).figures
    return found.events


def test_the_second_question_is_answered_at_once_and_the_first_is_not(loaded: EngineHouse) -> None:
    live = loaded.engine.live_figures
    assert live.figure_at_once(QUESTION, "acme", SPANS[0]) is None
    assert count_of(loaded) == 10
    loaded.engine.ingest(loaded.batch(call("late", time="2026-11-01T00:00:00Z")))
    at_once = live.figure_at_once(QUESTION, "acme", SPANS[0])
    assert at_once is not None
    assert at_once.figures == [LiveFigure((), Decimal(11), 11)]
    assert (live.hits, live.misses) == (1, 1)


def test_more_than_a_moment_of_events_is_left_to_a_thread(loaded: EngineHouse) -> None:
    assert count_of(loaded) == 10
    loaded.engine.ingest(loaded.batch(*(call(f"more-{number}", customer="other") for number in range(2_100))))
    assert loaded.engine.live_figures.figure_at_once(QUESTION, "acme", SPANS[0]) is None
    loaded.engine.live_figures.follow()
    assert loaded.engine.live_figures.figure_at_once(QUESTION, "acme", SPANS[0]) is not None


def test_a_void_of_an_event_that_was_folded_is_seen_by_the_next_question(loaded: EngineHouse) -> None:
    assert (count_of(loaded), count_of(loaded, "other")) == (10, 0)
    loaded.engine.checkpoint()
    loaded.engine.void_events([Identity("", "id-3")], reason="wrong", remember_missing=False)
    assert (count_of(loaded), count_of(loaded, "other")) == (9, 0)
    # The other customer's state was none of that.
    assert loaded.engine.live_figures.hits == 1


def test_a_new_version_of_a_meter_is_another_question(house: EngineHouse) -> None:
    engine = house.engine
    engine.put_meter(Meter(key="calls", name="Calls", event_type="call", aggregation="count"), create=True)
    engine.ingest(house.batch(call("a", value=5)))
    assert count_of(house, asked=LiveQuestion(engine.meter("calls"))) == 1
    engine.put_meter(structs.replace(engine.meter("calls"), event_type="other"), create=False)
    assert count_of(house, asked=LiveQuestion(engine.meter("calls"))) == 0


def test_states_are_bounded_and_the_one_asked_for_the_longest_ago_goes_first(
    loaded: EngineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_states, "STATES_MAX", 3)
    live = loaded.engine.live_figures
    for customer in ["acme", "b", "c", "acme", "d"]:
        count_of(loaded, customer)
    assert live.state_count == 3
    assert live.figure_at_once(QUESTION, "b", SPANS[0]) is None
    assert live.figure_at_once(QUESTION, "acme", SPANS[0]) is not None


@pytest.mark.parametrize("events_kept", [recent_events.RECENT_EVENTS_MAX, 30])
def test_figures_asked_while_events_come_are_never_behind_what_was_acknowledged(
    house: EngineHouse, events_kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event is in the first figure that is asked for after its acknowledgement, whoever else asks, or makes room, meanwhile."""
    monkeypatch.setattr(recent_events, "RECENT_EVENTS_MAX", events_kept)
    monkeypatch.setattr(tidying, "EVENTS_AT_ONCE", 4)
    faults: list[str] = []
    is_over = threading.Event()

    def make_room() -> None:
        while not is_over.is_set():
            house.engine.live_figures.follow()
            house.engine.live_figures.tidy()

    def send_and_ask(customer: str) -> None:
        for number in range(60):
            house.engine.ingest(house.batch(call(f"{customer}-{number}", customer=customer)))
            if (found := count_of(house, customer)) != number + 1:
                faults.append(f"{customer}: {found} after {number + 1}")

    threads = [threading.Thread(target=send_and_ask, args=(f"customer {number}",)) for number in range(4)]
    maker = threading.Thread(target=make_room)
    for thread in (*threads, maker):
        thread.start()
    house.engine.checkpoint()
    for thread in threads:
        thread.join()
    is_over.set()
    maker.join()
    assert faults == []


def test_the_follower_keeps_up_while_somebody_asks_and_lets_go_once_nobody_does(
    loaded: EngineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = loaded.engine.live_figures
    assert count_of(loaded) == 10
    follower = LiveFollower(live)
    follower.start()
    loaded.engine.ingest(loaded.batch(*(call(f"more-{number}", customer="other") for number in range(2_100))))
    while live.figure_at_once(QUESTION, "acme", SPANS[0]) is None:  # too much to take in at once, until the thread did
        time.sleep(0.001)
    monkeypatch.setattr(live_follower, "FORGOTTEN_AFTER_S", 0.0)
    while live.state_count:
        time.sleep(0.001)
    follower.close()
    follower.close()
    assert count_of(loaded) == 10


def test_a_figure_is_that_of_the_span_and_late_events_outside_it_do_not_count(loaded: EngineHouse) -> None:
    assert count_of(loaded) == 10
    october = {"time": "2026-10-31T23:59:59.999999999Z"}
    december = {"time": "2026-12-01T00:00:00Z"}
    loaded.clock.advance(40 * 86_400)
    loaded.engine.ingest(loaded.batch(call("before", **october), call("after", **december)))
    assert count_of(loaded) == 10
    span = Span(parse_instant("2026-10-01T00:00:00Z"), Instant(SPANS[0].start))
    assert [each.events for each in loaded.engine.live_figures.figure(QUESTION, "acme", span).figures] == [1]
