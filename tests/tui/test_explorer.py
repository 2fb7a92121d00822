"""The explorer, by its keys against a real appliance: every part of a question, down to the events."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.navigation import ToEvents, ToExplorer
from tallystick_tui.screens.explorer.date_range import DateRange, Preset
from tallystick_tui.screens.explorer.drill import Step, trail_words
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.explorer.face import Face
from tallystick_tui.screens.explorer.question import Window
from tallystick_tui.screens.explorer.question_chips import QuestionChips
from tallystick_tui.screens.explorer.range_dialog import RangeDialog
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.time_graph import GraphKind, TimeGraph
from tests.appliance import Appliance

from .conftest import until
from .explorer_steps import NARROW, WIDE, AnyPilot, answered, cells, choose, explorer, run, take, words


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


def test_two_dates_typed_into_the_list_of_ranges_are_taken_as_a_range(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await choose(app, pilot, "d", "2026-11-18 .. 2026-11-20")
        await until(lambda: isinstance(app.screen, RangeDialog) and app.screen.is_mounted)
        await until(lambda: words(app, "#range-words") == "2026-11-18 00:00:00 to 2026-11-20 00:00:00")
        await pilot.press("enter")
        await answered(app)
        assert explorer(app).question.range == DateRange(None, "2026-11-18", "2026-11-20")

    run(sampled, steps)


def test_a_click_on_a_chip_does_what_its_key_does(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await until(lambda: app.screen.query_one(QuestionChips).region.height > 0)
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
        await until(lambda: "acme in token, newest first:" in words(app, "#graph-words"))

    run(sampled, steps, is_plain=True)


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
