"""What somebody ran into who used the dashboard for the first time, by its hints alone."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tallystick_tui import collector
from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.keys_screen import KeysScreen
from tallystick_tui.navigation import ToEvents, ToExplorer
from tallystick_tui.screens.events.event_screen import EventScreen
from tallystick_tui.screens.events.events_screen import EventsScreen
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.overview.overview_screen import OverviewScreen
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.screens.signals.signal_body import Typed, Unreadable, body_of
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, notices, until


def typed(*, thresholds: str, limit: str = "") -> Typed:
    return Typed(
        key="k", name="", meter="m", type="threshold", op=">=", thresholds=thresholds, limit=limit, value="",
        direction="any", floor="", silence="", who="each", customer="", group_by="", period="month", timezone="",
        channels="", digest="",
    )  # fmt: skip


def test_an_event_opened_from_elsewhere_is_left_by_escape_and_stays_left(sampled: Appliance) -> None:
    event = sampled.client.get("/v1/events", params={"limit": 1}).json()["items"][0]

    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
            app.go_to(ToEvents(id=event["id"], source=event["source"]))
            await until(lambda: isinstance(app.screen, EventScreen) and app.screen.has_content)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, OverviewScreen))
            await pilot.press("3")
            await until(lambda: isinstance(app.screen, EventsScreen))
            await pilot.press("r")
            await pilot.pause(0.3)
            assert isinstance(app.screen, EventsScreen)
            # And from the event to other sections and back, without a freeze.
            app.go_to(ToEvents(id=event["id"], source=event["source"]))
            await until(lambda: isinstance(app.screen, EventScreen) and app.screen.has_content)
            for key in ("2", "3", "4", "3", "1"):
                await pilot.press(key)
                await pilot.pause(0.1)
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)

    asyncio.run(run())


def test_it_starts_without_colours(sampled: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def run() -> None:
        app = dashboard(sampled)
        assert app.no_color
        async with app.run_test(size=(160, 48)) as pilot:
            for key in ("1", "2", "6", "8"):
                await pilot.press(key)
                await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
                await pilot.pause(0.3)
            app.screen.refresh()
            await pilot.press("2", "t")
            await until(lambda: len(app.screen.query("PlotWidget")) > 0)
            await pilot.pause(0.3)

    asyncio.run(run())


@pytest.mark.parametrize("name", ["Bad [/foo] name [", "Globex [bold]Corp[/bold]", "[/evil] ["])
def test_the_palette_finds_a_customer_whose_name_looks_like_markup(
    start_fixed: Callable[..., Appliance], name: str
) -> None:
    appliance = start_fixed()
    appliance.client.post("/v1/customers", json={"key": "odd-one", "name": name}).raise_for_status()

    async def run() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, SectionScreen))

            def offered() -> str:
                found = app.screen.query(OptionList)
                return "\n".join(str(option.prompt) for option in found.first().options) if found else ""

            await pilot.press("ctrl+p")
            await until(lambda: "Go to Ledger" in offered())
            app.screen.query_one(Input).value = "odd-one"
            await until(lambda: f"Customer odd-one · {name}" in offered())

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "suggested"),
    [("240,000", "type 240000, or 240, 000"), ("1,230,000", "type 1230000"), ("5, 240,000", "240000, or 240, 000")],
)
def test_thresholds_with_thousands_are_not_guessed_at(text: str, suggested: str) -> None:
    with pytest.raises(Unreadable, match=suggested):
        body_of(typed(thresholds=text))


@pytest.mark.parametrize("text", ["100000, 200000", "1, 2, 3", "0.5,1.25", "1000,2000"])
def test_several_thresholds_are_read_as_before(text: str) -> None:
    figures = [part.strip() for part in text.split(",")]
    condition = body_of(typed(thresholds=text))["condition"]
    assert isinstance(condition, dict)
    assert condition["thresholds"] == figures


def test_shares_of_a_limit_are_percent_and_need_no_blanks() -> None:
    condition = body_of(typed(thresholds="50,80,100", limit="240000"))["condition"]
    assert isinstance(condition, dict)
    assert condition["thresholds"] == ["50", "80", "100"]


def test_figures_are_shaded_anew_when_another_theme_is_chosen(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await pilot.press("2")
            await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.shown is not None)
            app.go_to(ToExplorer(meter="tokens", group_by=("customer",), window="day"))
            await until(lambda: bool(shades(app)))
            before = shades(app)
            app.theme = "tallystick-light"
            await until(lambda: shades(app) != before)
            assert not set(before) & set(shades(app))

    asyncio.run(run())


def shades(app: DashboardApp) -> list[str]:
    """Return the backgrounds of the figures that have one."""
    table = app.screen.query_one("#explorer-table", RecordTable)
    cells = [cell for row in range(table.row_count) for cell in table.get_row_at(row)]
    return [str(cell.style) for cell in cells if " on " in f" {cell.style}"]


def test_the_list_of_keys_is_there_over_the_events_behind_a_figure_too(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            app.go_to(ToExplorer(meter="tokens", group_by=("customer",)))
            await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.shown is not None)
            await until(lambda: bool(app.screen.query_one("#explorer-table", RecordTable).row_count))
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, EventsBehind) and app.screen.is_settled)
            await pilot.press("question_mark")
            await until(lambda: isinstance(app.screen, KeysScreen))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, EventsBehind))

    asyncio.run(run())


def test_what_stays_is_set_aside_and_the_collector_goes_on() -> None:
    collector.hold()
    try:
        assert not gc.isenabled()
        collector.settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_picture_of_the_screen_lies_where_the_dashboard_was_started_or_it_is_said_why_not(
    sampled: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            app.action_screenshot("seen.svg")
            await until((tmp_path / "seen.svg").exists)
            app.action_screenshot("seen.svg", str(tmp_path / "seen.svg" / "within"))
            await until(lambda: any(told.startswith("no picture: ") for told in notices(app)))
            await pilot.pause()
            assert not any("Failed" in told for told in notices(app))

    asyncio.run(run())
