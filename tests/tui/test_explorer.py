"""The explorer, by its keys against a real appliance: every part of a question, down to the events, and out of the dashboard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.config.view_state import ViewStateFile
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.navigation import Section, ToEvents, ToExplorer
from tallystick_tui.screens.explorer import take_out
from tallystick_tui.screens.explorer.date_range import DateRange, Preset
from tallystick_tui.screens.explorer.drill import Step, trail_words
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.explorer.face import Face
from tallystick_tui.screens.explorer.question import Window
from tallystick_tui.screens.explorer.question_chips import QuestionChips
from tallystick_tui.screens.explorer.question_texts import QuestionTexts
from tallystick_tui.screens.explorer.range_dialog import RangeDialog
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.state_message import StateMessage
from tallystick_tui.widgets.time_graph import GraphKind, TimeGraph
from tests.appliance import Appliance

from .conftest import dashboard, fixed_now, until

NARROW, WIDE = (80, 24), (160, 48)
AnyPilot = Pilot[Any]  # Any: what an app returns
Steps = Callable[[DashboardApp, AnyPilot], Awaitable[None]]


def explorer(app: DashboardApp) -> ExplorerScreen:
    return next(screen for screen in app.screen_stack if isinstance(screen, ExplorerScreen))


def cells(app: DashboardApp, selector: str = "#explorer-table") -> list[list[str]]:
    table = app.screen.query_one(selector, RecordTable)
    return [[str(cell) for cell in table.get_row_at(number)] for number in range(table.row_count)]


def words(app: DashboardApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).content)


async def type_in(pilot: AnyPilot, text: str) -> None:
    names = {
        " ": "space",
        "-": "minus",
        "_": "underscore",
        "=": "equals_sign",
        "/": "slash",
        ".": "full_stop",
        ":": "colon",
    }
    for letter in text:
        await pilot.press(names.get(letter, letter))


async def choose(app: DashboardApp, pilot: AnyPilot, key: str, typed: str) -> None:
    """Press a key, and take what begins with the text in the dialog that comes."""
    await pilot.press(key)
    await take(app, pilot, typed)


async def take(app: DashboardApp, pilot: AnyPilot, typed: str) -> None:
    await until(lambda: isinstance(app.screen, Choice))
    dialog = app.screen
    assert isinstance(dialog, Choice)
    await until(lambda: dialog.is_settled)
    await type_in(pilot, typed)
    await pilot.press("enter")
    await until(lambda: app.screen is not dialog)


async def answered(app: DashboardApp) -> None:
    """Wait until the answer to the present question is shown."""
    screen = explorer(app)
    await until(lambda: screen.shown is not None and screen.shown.question == screen.question)


def run(appliance: Appliance, steps: Steps, *, size: tuple[int, int] = NARROW, is_plain: bool = False) -> None:
    """Open the explorer on the meter of tokens, and go through the steps."""

    async def go() -> None:
        app = dashboard(appliance, is_plain=is_plain)
        async with app.run_test(size=size) as pilot:
            app.go_to(ToExplorer(meter="tokens"))
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await answered(app)
            await steps(app, pilot)

    asyncio.run(go())


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_the_first_question_is_the_week_by_customer_with_the_figures_of_the_appliance(
    sampled: Appliance, size: tuple[int, int]
) -> None:
    params = {"from": "2026-11-18T23:00:00Z", "to": "2026-11-25T10:00:00Z", "group_by": "customer"}
    totals = sampled.client.get("/v1/meters/tokens/usage", params=params).json()["totals"]
    expected = sorted(totals, key=lambda total: -total["value"])

    async def steps(app: DashboardApp, _pilot: AnyPilot) -> None:
        assert [line[:3] for line in cells(app)] == [
            [total["group"]["customer"], f"{total['value']:,}", f"{total['events']}"] for total in expected
        ]
        assert words(app, "#explorer-totals").startswith("total 762,906 token · 1,869 events · 8 groups")
        assert explorer(app).query_one("#explorer-graph", TimeGraph).display is (size == WIDE)
        lines = 1 if size == WIDE else 2
        await until(lambda: app.screen.query_one(QuestionChips).region.height == lines)

    run(sampled, steps, size=size)


def test_each_part_of_the_question_is_changed_by_its_key(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        screen = explorer(app)
        await choose(app, pilot, "m", "req")
        assert screen.question.meter == "requests"
        await choose(app, pilot, "g", "reg")
        assert screen.question.group_by == ("region",)
        await choose(app, pilot, "g", "region and mod")
        assert screen.question.group_by == ("region", "model")
        await choose(app, pilot, "f", "cust")
        await take(app, pilot, "hool")
        assert screen.question.filters == (("customer", ("hooli",)),)
        await choose(app, pilot, "d", "yest")
        assert screen.question.range == DateRange(Preset.YESTERDAY)
        await choose(app, pilot, "w", "hour")
        assert screen.question.window is Window.HOUR
        await choose(app, pilot, "z", "asia/kath")
        assert screen.question.zone == "Asia/Kathmandu"
        await pilot.press("v")
        await answered(app)
        assert screen.question.is_compared
        assert len(cells(app)) == 6
        assert {line[3] for line in cells(app)} == {"4", "8"}
        await choose(app, pilot, "f", "without customer")
        assert screen.question.filters == ()
        await choose(app, pilot, "g", "nothing")
        await answered(app)
        assert cells(app)[0][0].endswith("00:00")

    run(sampled, steps)


def test_a_property_or_value_that_nobody_sent_yet_can_be_typed(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await choose(app, pilot, "f", "planet")
        await take(app, pilot, "mars")
        assert explorer(app).question.filters == (("planet", ("mars",)),)
        await until(lambda: app.screen.has_class("-nothing"))
        assert words(app, "#explorer-empty").startswith("nothing was used\nlast 7 days, Europe/Berlin")

    run(sampled, steps)


def test_a_range_is_typed_and_what_is_wrong_with_it_is_said(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await choose(app, pilot, "d", "from")
        await until(lambda: isinstance(app.screen, RangeDialog) and app.screen.is_mounted)
        start = app.screen.query_one("#range-start", Input)
        await until(lambda: start.has_focus)
        assert start.value == "2026-11-19"
        start.value = "2026-11-31"
        await pilot.press("enter")
        await until(lambda: "is no time" in words(app, "#range-words"))
        start.value = "2026-11-20 06:00"
        await pilot.pause()
        assert words(app, "#range-words") == "2026-11-20 06:00:00 to 2026-11-25 11:00:00"
        await pilot.press("enter")
        await answered(app)
        assert explorer(app).question.range == DateRange(None, "2026-11-20 06:00", "now")
        assert "2026-11-20 06:00 to now" in app.screen.query_one(QuestionChips).words

    run(sampled, steps)


def test_a_click_on_a_chip_does_what_its_key_does(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.click(QuestionChips, offset=(3, 0))
        await until(lambda: isinstance(app.screen, Choice) and app.screen.is_settled)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        assert explorer(app).question.meter == "tokens"

    run(sampled, steps)


def test_one_goes_down_by_the_meters_dimensions_to_the_events_and_back_up(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        screen = explorer(app)
        await pilot.press("down", "enter")
        await take(app, pilot, "")
        await answered(app)
        assert screen.question.group_by == ("region",)
        assert screen.question.filters == (("customer", ("globex",)),)
        assert words(app, "#explorer-trail").startswith(trail_words([Step(screen.question, "", "customer globex")]))
        eu = next(number for number, line in enumerate(cells(app)) if line[0] == "eu")
        figure = cells(app)[eu][1]
        await pilot.press(*["down"] * eu, "enter")
        await take(app, pilot, "its")
        await until(lambda: isinstance(app.screen, EventsBehind))
        await until(lambda: "the figure" in words(app, "#behind-proof"))
        listed = cells(app, "#behind")
        total = f"{sum(int(line[2].replace(',', '')) for line in listed):,}"
        assert total == figure
        assert words(app, "#behind-proof") == f"all {len(listed)} events add up to {total} = the figure {total}"
        assert words(app, "#behind-title") == "tokens · customer globex · region eu"
        await pilot.press("escape", "backspace")
        await answered(app)
        assert screen.question.group_by == ("customer",)
        await until(lambda: screen.query_one("#explorer-table", RecordTable).cursor_row == 1)
        assert not screen.query_one("#explorer-trail").display

    run(sampled, steps)


def test_one_goes_down_into_a_window(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await choose(app, pilot, "g", "nothing")
        await answered(app)
        monday = [line[0] for line in cells(app)].index("Mon 23 Nov 2026")
        await pilot.press(*["down"] * monday, "enter")
        await take(app, pilot, "over")
        await answered(app)
        assert "Mon 23 Nov 2026" in app.screen.query_one(QuestionChips).words
        assert [line[0] for line in cells(app)][1] == "Mon 23 Nov 01:00"
        assert len(cells(app)) == 24

    run(sampled, steps)


def test_an_event_behind_a_figure_is_opened_in_its_section(sampled: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[object] = []

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        monkeypatch.setattr(app, "go_to", gone.append)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, EventsBehind) and "of" in words(app, "#behind-proof"))
        first = cells(app, "#behind")[0]
        await pilot.press("enter")
        await until(lambda: bool(gone))
        assert gone == [ToEvents(source=first[4], id=first[3])]

    run(sampled, steps)


def test_events_come_page_by_page_and_their_sum_goes_on(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, EventsBehind) and "page 1" in words(app, "#behind-proof"))
        seen = cells(app, "#behind")
        assert len(seen) == 200
        assert words(app, "#behind-proof").startswith("200 of 234 events add ")
        await pilot.press("n")
        await until(lambda: "page 2" in words(app, "#behind-proof"))
        assert words(app, "#behind-proof").startswith("all 234 events add up to 259,398 = the figure 259,398")
        assert len(cells(app, "#behind")) == 34
        await pilot.press("n", "p")
        await until(lambda: "page 1" in words(app, "#behind-proof"))
        assert cells(app, "#behind") == seen

    run(sampled, steps)


def test_one_key_shows_table_or_graph_and_another_the_kinds_of_graph(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        screen = explorer(app)
        table, graph = screen.query_one("#explorer-table"), screen.query_one("#explorer-graph")
        await pilot.press("t")
        await until(lambda: graph.display and not table.display)
        await until(lambda: len(screen.query("PlotWidget")) == 1)
        await pilot.press("k")
        assert (screen.face, screen.graph_kind) == (Face.GRAPH, GraphKind.BARS)
        await pilot.press("k", "k")
        assert screen.graph_kind is GraphKind.LINES
        assert "6 of them drawn" in words(app, "#explorer-totals")
        await pilot.press("t")
        await until(lambda: table.display and not graph.display)
        assert "drawn" not in words(app, "#explorer-totals")

    run(sampled, steps)


def test_with_room_table_and_graph_are_there_together_or_one_alone(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        screen = explorer(app)
        table, graph = screen.query_one("#explorer-table"), screen.query_one("#explorer-graph")
        assert table.region.bottom <= graph.region.y
        await choose(app, pilot, "g", "nothing")
        await answered(app)
        await until(lambda: table.region.right <= graph.region.x)
        seen: list[tuple[bool, bool]] = []
        for _ in range(3):
            await pilot.press("t")
            await pilot.pause()
            seen.append((table.display, graph.display))
        assert seen == [(False, True), (True, False), (True, True)]

    run(sampled, steps, size=WIDE)


def test_plain_mode_draws_nothing(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        text = "\n".join(" ".join(line) for line in cells(app))
        assert text.isascii()
        await pilot.press("t")
        await until(lambda: "acme in token:" in words(app, "#graph-words"))

    run(sampled, steps, is_plain=True)


def test_views_are_saved_opened_and_removed(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        screen = explorer(app)
        await choose(app, pilot, "d", "today")
        await pilot.press("t")
        saved = screen.question
        await choose(app, pilot, "o", "save")
        await until(lambda: isinstance(app.screen, TextQuestion))
        await type_in(pilot, "my view")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        await pilot.press("t")
        await choose(app, pilot, "m", "stor")
        await choose(app, pilot, "o", "my")
        await answered(app)
        assert (screen.question, screen.face) == (saved, Face.GRAPH)
        await choose(app, pilot, "o", "remove")
        await take(app, pilot, "my")
        await pilot.press("o")
        await until(lambda: isinstance(app.screen, Choice))
        dialog = app.screen
        assert isinstance(dialog, Choice)
        assert [offer.value for offer in dialog.offers] == ["save"]

    run(sampled, steps)


def test_views_and_the_last_question_are_there_at_the_next_start(sampled: Appliance, tmp_path: Path) -> None:
    said: list[str] = []

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press(Section.EXPLORER.key)
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        await answered(app)
        await choose(app, pilot, "m", "stor")
        await choose(app, pilot, "o", "save")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen.query_one(Input).has_focus)
        await type_in(pilot, "store")
        await pilot.press("enter")
        await until(lambda: "store" in [view.name for view in kept().read().views])
        await choose(app, pilot, "d", "today")
        await pilot.press("t")
        await until(lambda: '"graph"' in kept().read().choices["explorer.last"])

    async def again(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press(Section.EXPLORER.key)
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        await answered(app)
        screen = explorer(app)
        assert (screen.question.meter, screen.question.range) == ("storage", DateRange(Preset.TODAY))
        assert screen.face is Face.GRAPH
        await choose(app, pilot, "o", "store")
        await answered(app)
        assert screen.question.range == DateRange(Preset.LAST_7_DAYS)

    def kept() -> ViewStateFile:
        return ViewStateFile(tmp_path, say=said.append)

    async def go(through: Steps) -> None:
        viewer = Viewer(zone=ZoneInfo("Europe/Berlin"), now=fixed_now, kept=kept())
        app = DashboardApp(ApplianceClient(sampled.url, sampled.admin_key), viewer=viewer)
        async with app.run_test(size=NARROW) as pilot:
            await through(app, pilot)

    asyncio.run(go(steps))
    asyncio.run(go(again))
    assert said == []


def test_a_csv_file_has_every_group_and_is_not_replaced_unasked(
    sampled: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_out, "folder", lambda: tmp_path)
    file = tmp_path / "tokens-2026-11-19-to-2026-11-25.csv"
    file.write_text("mine")

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        asked = explorer(app).shown
        assert asked is not None
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen.query_one(Input).has_focus)
        assert app.screen.query_one(Input).value == str(file)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, TextQuestion))
        assert file.read_text() == "mine"
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("y")
        await until(lambda: file.read_text() != "mine")
        params = httpx.QueryParams(tuple(asked.params(with_limit=False)))
        whole = sampled.client.get(asked.path, params=params, headers={"accept": "text/csv"}).text
        assert file.read_bytes() == whole.encode()

    run(sampled, steps)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_said_beside_its_name(
    sampled: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_out, "folder", lambda: tmp_path / "nowhere")

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen.query_one(Input).has_focus)
        first = app.screen
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen is not first)
        assert "cannot write" in str(app.screen.query_one(Static).content)
        assert app.screen.query_one(Input).value.startswith(str(tmp_path / "nowhere"))
        await pilot.press("escape")

    run(sampled, steps)


def test_the_question_is_copied_without_the_key(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, QuestionTexts) and app.screen.is_mounted)
        await pilot.press("c")
        assert app.clipboard.startswith('curl -sS -H "Authorization: Bearer $TALLYSTICK_API_KEY"')
        await pilot.press("t")
        assert app.clipboard.startswith("tallystick usage tokens --url ")
        assert str(sampled.admin_key) not in app.clipboard

    run(sampled, steps)


def test_another_section_asks_its_question_here(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, _pilot: AnyPilot) -> None:
        asked = ToExplorer(
            meter="storage",
            group_by=(),
            filters={"customer": ("acme",)},
            start="2026-11-20",
            end="2026-11-22",
            window="hour",
        )
        app.go_to(asked)
        await until(lambda: explorer(app).question.meter == "storage")
        await answered(app)
        assert len(cells(app)) == 48
        assert {line[1] for line in cells(app)} >= {"32.5", "29.25"}

    run(sampled, steps)


def test_without_a_meter_the_explorer_says_what_to_do(fixed: Appliance) -> None:
    async def go() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press(Section.EXPLORER.key)
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await until(lambda: "no meter yet" in str(app.screen.query_one(StateMessage).content))

    asyncio.run(go())


def test_what_the_appliance_refuses_is_said_in_its_words_and_the_question_stays(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, _pilot: AnyPilot) -> None:
        app.go_to(ToExplorer(group_by=("a" * 300,)))
        await until(lambda: "could not refresh" in str(app.screen.query_one(FailureLine).content))
        assert explorer(app).question.group_by == ("a" * 300,)
        assert cells(app)

    run(sampled, steps)


def test_figures_stay_while_the_connection_is_lost_and_come_anew_with_it(fixed: Appliance) -> None:
    event = {"id": "1", "type": "call", "customer": "acme", "time": "2026-11-25T09:00:00Z"}
    fixed.client.post("/v1/meters", json={"key": "calls", "event_type": "call", "aggregation": "count"})
    fixed.client.post("/v1/events", json=event)

    async def go() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press(Section.EXPLORER.key)
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await answered(app)
            await asyncio.to_thread(fixed.kill)
            await pilot.press("v")
            await until(lambda: app.screen.query_one(ConnectionBanner).display)
            assert [line[:2] for line in cells(app)] == [["acme", "1"]]
            await asyncio.to_thread(fixed.start)
            await until(lambda: not app.screen.query_one(ConnectionBanner).display)
            await answered(app)
            assert explorer(app).question.is_compared

    asyncio.run(go())


def test_a_question_that_is_changed_is_no_longer_asked(start_fixed: Callable[..., Appliance]) -> None:
    appliance = start_fixed(scan_threads=1)
    client = appliance.client
    client.post("/v1/meters", json={"key": "seen", "event_type": "call", "aggregation": "unique", "field": "customer"})
    for batch in range(4):
        events = [
            {"id": f"{batch}-{number}", "type": "call", "customer": f"c{number}", "time": "2026-11-25T09:00:00Z"}
            for number in range(10_000)
        ]
        client.post("/v1/events", json=events).raise_for_status()

    def figure(name: str) -> float:
        lines = appliance.client.get("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"tallystick_{name} "))

    async def go() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press(Section.EXPLORER.key)
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await answered(app)
            before = await asyncio.to_thread(figure, "scans_cancelled_total")
            with Holding(appliance):
                await until_in_thread(lambda: figure("scans_waiting") > 0)
                await pilot.press("v")
                await until_in_thread(lambda: figure("scans_waiting") > 1)
                await pilot.press("v")
                await until_in_thread(lambda: figure("scans_cancelled_total") > before)
            await answered(app)

    asyncio.run(go())


class Holding:
    """Keeps the one thread of scans busy with questions of its own, one after another."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance, self._is_over = appliance, threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        query = {
            "meter": "seen",
            "from": "2026-11-25T00:00:00Z",
            "group_by": ["customer"],
            "window": "minute",
            "limit": 1,
        }
        with self._appliance.client_with(self._appliance.admin_key, timeout_s=120) as client:
            while not self._is_over.is_set():
                client.post("/v1/usage", json={"queries": [query] * 50})


async def until_in_thread(is_so: Callable[[], bool], *, within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 - an appliance has no event of its own
            await asyncio.sleep(0.02)
