"""The overview: what happens now, in cards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.navigation import Section
from tallystick_tui.screens.overview.overview_screen import OverviewScreen
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.facts import Facts
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.state_message import StateMessage
from tallystick_tui.widgets.time_graph import TimeGraph
from tests.appliance import Appliance

from .conftest import dashboard, until
from .steady import steady_dashboard

SIZES = [(80, 24), (160, 48)]
AnyPilot = Pilot[Any]  # Any: what an app returns


class SnapCompare(Protocol):
    def __call__(
        self, app: DashboardApp, *, terminal_size: tuple[int, int], run_before: Callable[[AnyPilot], Any]
    ) -> bool: ...


def overview(app: DashboardApp) -> OverviewScreen:
    assert isinstance(app.screen, OverviewScreen)
    return app.screen


def cells(app: DashboardApp, table: str) -> list[list[str]]:
    rows = overview(app).query_one(table, RecordTable)
    return [[str(cell) for cell in rows.get_row_at(number)] for number in range(rows.row_count)]


def facts(app: DashboardApp, name: str) -> str:
    return "\n".join(" ".join(fact) for fact in overview(app).query_one(name, Facts).shown)


async def filled(app: DashboardApp) -> None:
    """Wait until everything was answered: figures of the day, who used most, a first rate, and the plot is there."""
    await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
    await until(lambda: cells(app, "#meters") != [] and all("…" not in row[1] for row in cells(app, "#meters")))
    await until(lambda: cells(app, "#customers") != [])
    await until(lambda: "/s" in str(overview(app).query_one("#graph-pane").border_title))


async def loaded(pilot: AnyPilot) -> None:
    app = app_of(pilot)
    await filled(app)
    await until(lambda: len(app.screen.query("PlotWidget")) > 0)
    await pilot.pause()


def app_of(pilot: AnyPilot) -> DashboardApp:
    return cast("DashboardApp", pilot.app)


@pytest.mark.parametrize("size", SIZES)
def test_today_stands_beside_yesterday_at_the_same_hour(sampled: Appliance, size: tuple[int, int]) -> None:
    queries = [
        {"meter": "tokens", "from": "2026-11-24T23:00:00Z", "to": "2026-11-25T10:00:00Z"},
        {"meter": "tokens", "from": "2026-11-23T23:00:00Z", "to": "2026-11-24T10:00:00Z"},
    ]
    answers = sampled.client.post("/v1/usage", json={"queries": queries}).json()["answers"]
    today, yesterday = (answer["totals"][0]["value"] for answer in answers)

    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=size):
            await filled(app)
            rows = {row[0]: row for row in cells(app, "#meters")}
            assert list(rows) == ["requests", "storage", "tokens", "users"]
            assert rows["tokens"][1:3] == [f"{today:,} token", f"{yesterday:,} token"]
            assert rows["tokens"][3].startswith("▼" if today < yesterday else "▲")
            assert len(rows["tokens"][4]) == (24 if size[0] >= 120 else 12)
            assert "accepted 4,144" in facts(app, "#counters")
            assert "duplicates 50" in facts(app, "#counters")
            assert "takes writes" in facts(app, "#health")
            assert "Europe/Berlin" in str(overview(app).query_one("#meters-pane").border_title)

    asyncio.run(run())


def test_the_top_customers_are_those_of_the_meter_under_the_cursor(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await filled(app)
            assert "requests" in str(overview(app).query_one("#customers-pane").border_title)
            await pilot.press("down", "down")
            await until(lambda: "tokens" in str(overview(app).query_one("#customers-pane").border_title))
            figures = [int(row[1].removesuffix(" token").replace(",", "")) for row in cells(app, "#customers")]
            assert figures == sorted(figures, reverse=True)
            assert len(figures) == 8

    asyncio.run(run())


@pytest.mark.parametrize(
    ("table", "section"), [("#meters", Section.EXPLORER), ("#customers", Section.CUSTOMERS)], ids=["meter", "customer"]
)
def test_enter_opens_what_is_under_the_cursor(sampled: Appliance, table: str, section: Section) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await filled(app)
            app.screen.query_one(table, DataTable).focus()
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is section)

    asyncio.run(run())


def test_a_click_on_the_row_under_the_cursor_opens_it(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await filled(app)
            await pilot.click("#meters", offset=(4, 1))
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is Section.EXPLORER)

    asyncio.run(run())


def test_counters_and_graph_move_while_events_come(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            await until(lambda: "0/s" in str(overview(app).query_one("#graph-pane").border_title))
            events = [{"id": str(number), "type": "t", "customer": "c"} for number in range(500)]
            await asyncio.to_thread(fixed.client.post, "/v1/events", json=events)
            await until(lambda: "accepted 500" in facts(app, "#counters"))
            assert str(overview(app).query_one("#graph-pane").border_title) != "events · 0/s"
            await pilot.press("g")
            await until(lambda: "10 min" in str(overview(app).query_one("#graph-pane").border_subtitle))
            assert overview(app).query_one(TimeGraph).size.width > 20

    asyncio.run(run())


def test_a_signal_that_fires_is_listed_and_opened(fixed: Appliance) -> None:
    meter = {"key": "calls", "event_type": "call", "aggregation": "count"}
    fixed.client.post("/v1/meters", json=meter).raise_for_status()
    condition = {"type": "threshold", "op": ">=", "value": 3}
    signal = {"key": "busy", "meter": "calls", "scope": {"customer": "*"}, "period": "day", "condition": condition}
    fixed.client.post("/v1/signals", json=signal).raise_for_status()
    events = [{"id": str(number), "type": "call", "customer": "acme"} for number in range(4)]
    fixed.client.post("/v1/events", json=events).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(160, 48)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)

            async def fired() -> None:
                async with asyncio.timeout(20):
                    while not cells(app, "#signals"):
                        await overview(app).reload().wait()

            await fired()
            (row,) = cells(app, "#signals")
            assert row[0] == "▲ fired"
            assert row[1:4] == ["busy", "acme", "4 of 3"]
            await until(lambda: "signals 1 fired" in facts(app, "#counters"))
            table = overview(app).query_one("#signals", RecordTable)
            table.focus()
            await until(lambda: table.has_focus)
            await pilot.press("enter")
            await until(lambda: app.current_mode == Section.SIGNALS.value)

    asyncio.run(run())


def test_an_empty_appliance_says_what_to_do_next(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)):
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            await until(lambda: overview(app).query_one("#meters-pane").has_class("-empty"))
            hints = [str(hint.render()) for hint in overview(app).query(".hint") if hint.display]
            assert any("press 4" in hint for hint in hints)

    asyncio.run(run())


def test_a_key_that_may_not_read_is_said_in_words(fixed: Appliance) -> None:
    async def run() -> None:
        app = DashboardApp(ApplianceClient(fixed.url, fixed.new_key("ingest")))
        async with app.run_test(size=(80, 24)):
            await until(lambda: isinstance(app.screen, OverviewScreen))
            await until(lambda: "lacks the scope" in str(app.screen.query_one(StateMessage).render()))

    asyncio.run(run())


def test_what_was_shown_stays_while_the_appliance_is_away_and_moves_on_when_it_is_back(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)):
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            await asyncio.to_thread(fixed.kill)
            await until(lambda: app.screen.query_one(ConnectionBanner).display)
            assert overview(app).query_one("#content").display
            await asyncio.to_thread(fixed.start)
            await until(lambda: not app.screen.query_one(ConnectionBanner).display)
            event = {"id": "1", "type": "t", "customer": "c"}
            await asyncio.to_thread(fixed.client.post, "/v1/events", json=event)
            await until(lambda: "accepted 1" in facts(app, "#counters"))
            assert "-" not in str(overview(app).query_one("#graph-pane").border_title)

    asyncio.run(run())


def test_a_disk_that_is_nearly_full_is_said_above_everything(fixed: Appliance) -> None:
    async def run() -> None:
        app = steady_dashboard(fixed, disk_free_bytes=100 << 20)
        async with app.run_test(size=(80, 24)):
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            await until(lambda: "100 MiB left" in str(app.screen.query_one(FailureLine).render()))

    asyncio.run(run())


def test_nothing_is_asked_while_another_section_is_shown(fixed: Appliance) -> None:
    def asked() -> int:
        lines = fixed.client.get("/metrics").text.splitlines()
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines if 'route="/v1/status",status="200"' in line)

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            await pilot.press("9")
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is Section.SETTINGS)
            await asyncio.sleep(0.2)  # a question that was under way ends
            before = await asyncio.to_thread(asked)
            await asyncio.sleep(2.2)
            assert await asyncio.to_thread(asked) == before

    asyncio.run(run())


def test_plain_mode_says_in_words_what_others_see_drawn(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled, is_plain=True)
        async with app.run_test(size=(80, 24)):
            await filled(app)
            assert all(len(row) == 4 for row in cells(app, "#meters"))
            assert all(len(row) == 2 for row in cells(app, "#customers"))
            assert not app.screen.query("PlotWidget")
            # The newest rate is the first, where no box cuts it off; two within a minute are told apart.
            said = app.screen.query_one("#graph-words", Static)
            await until(lambda: str(said.content).count("\n") > 0)
            begin, first = str(said.content).split("\n")[:2]
            assert begin == "accepted in events/s, newest first:"
            assert re.fullmatch(r"  2026-11-25 11:\d\d(:\d\d)?  \S+", first), first

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x48"])
def test_a_picture_of_the_overview(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(steady_dashboard(sampled), terminal_size=size, run_before=loaded)


def test_a_picture_of_an_overview_without_anything(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def emptied(pilot: AnyPilot) -> None:
        app = app_of(pilot)
        await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
        await until(lambda: "/s" in str(overview(app).query_one("#graph-pane").border_title))
        await until(lambda: len(app.screen.query("PlotWidget")) > 0)
        await until(lambda: overview(app).query_one("#meters-pane").has_class("-empty"))
        await pilot.pause()

    assert snap_compare(steady_dashboard(fixed), terminal_size=(80, 24), run_before=emptied)
