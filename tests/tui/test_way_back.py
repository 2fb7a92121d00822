"""Escape goes back to where one came from, across sections, and finds it as it was left."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import Input

from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.navigation import ToCustomer, ToEvents, ToExplorer
from tallystick_tui.screens.customers.customer_page import CustomerPage
from tallystick_tui.screens.customers.customers_screen import CustomersScreen
from tallystick_tui.screens.events.event_screen import EventScreen
from tallystick_tui.screens.events.events_screen import EventsScreen
from tallystick_tui.screens.explorer.date_range import DateRange
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.meters.meters_screen import MetersScreen
from tallystick_tui.screens.overview.overview_screen import OverviewScreen
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, until


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_from_an_event_behind_a_figure_escape_leads_back_step_by_step(
    sampled: Appliance, size: tuple[int, int]
) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=size) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            app.go_to(ToExplorer(meter="tokens", group_by=()))
            await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.shown is not None)
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, EventsBehind) and app.screen.is_settled)
            behind = app.screen
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, EventsScreen | EventScreen) and app.screen.has_content)
            await pilot.pause(0.2)
            await pilot.press("escape")
            await until(lambda: app.screen is behind)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, OverviewScreen))

    asyncio.run(run())


def test_a_section_opened_by_its_own_key_has_no_way_back(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
            app.go_to(ToCustomer(key="acme"))
            await until(lambda: isinstance(app.screen, CustomerPage) and app.screen.has_content)
            await pilot.press("5")
            await until(lambda: isinstance(app.screen, CustomersScreen))
            assert "return" not in {binding.binding.action for binding in app.screen.active_bindings.values()}
            await pilot.press("escape")
            await pilot.pause(0.2)
            assert isinstance(app.screen, CustomersScreen)

    asyncio.run(run())


def test_what_is_opened_from_a_list_leads_back_to_the_list(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await pilot.press("5")
            await until(lambda: isinstance(app.screen, CustomersScreen) and app.screen.has_content)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, CustomerPage) and app.screen.has_content)
            await pilot.press("v")
            await until(lambda: isinstance(app.screen, EventsScreen) and app.screen.has_content)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, CustomerPage))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, CustomersScreen))

    asyncio.run(run())


def test_an_event_opened_from_a_filtered_list_leads_back_to_the_list_and_then_to_where_the_list_was_opened(
    sampled: Appliance,
) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            app.go_to(ToEvents(customer="acme"))
            await until(lambda: isinstance(app.screen, EventsScreen) and app.screen.has_content)
            await until(lambda: app.screen.query_one("#events", RecordTable).row_count > 1)
            await pilot.press("down", "enter")
            await until(lambda: isinstance(app.screen, EventScreen) and app.screen.has_content)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, EventsScreen))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, OverviewScreen))
            # What was looked at there before is there again, and nothing is followed behind.
            await until(lambda: not [worker for worker in app.workers if worker.group == "tail" and worker.is_running])
            await pilot.press("3")
            await until(lambda: isinstance(app.screen, EventsScreen))
            assert app.screen.query_one("#filter-customer", Input).value == ""

    asyncio.run(run())


def test_escape_goes_up_where_somebody_went_down_and_only_then_back(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            app.go_to(ToExplorer(meter="tokens", group_by=("customer",), is_whole=True))
            await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.shown is not None)
            explorer = app.screen
            assert isinstance(explorer, ExplorerScreen)
            await until(lambda: explorer.query_one("#explorer-table", RecordTable).row_count > 1)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, Choice))
            await pilot.press("enter")
            await until(lambda: bool(explorer.trail))
            await pilot.press("escape")
            await until(lambda: not explorer.trail and explorer.question.group_by == ("customer",))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, OverviewScreen))

    asyncio.run(run())


def test_keys_that_come_quickly_open_one_dialog(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("2")
            await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.shown is not None)
            for key in ("d", "o", "y", "d"):
                app.simulate_key(key)
            await pilot.pause(0.5)
            assert len(app.screen_stack) == 2

    asyncio.run(run())


def test_what_another_section_shows_of_a_meter_is_asked_as_it_is_there_whatever_was_asked_before(
    sampled: Appliance,
) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("2")
            await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.shown is not None)
            app.go_to(ToExplorer(meter="tokens", filters={"customer": ("acme",)}, start="2026-11-01", end="2026-11-02"))
            await pilot.pause(0.2)
            await pilot.press("4")
            await until(lambda: isinstance(app.screen, MetersScreen) and app.screen.has_content)
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            explorer = app.screen
            assert isinstance(explorer, ExplorerScreen)
            await until(lambda: explorer.question.filters == ())
            assert explorer.question.range == DateRange()

    asyncio.run(run())


def test_a_section_that_is_being_taken_away_asks_nothing_any_more(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)):
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            overview = app.screen
            assert isinstance(overview, OverviewScreen)
            app.exit()
        assert app.is_going(overview)
        # What a worker would run that is begun too late: looked for, the parts of the screen would not be there.
        with app._context():  # pyright: ignore[reportPrivateUsage] - the app's own, which has ended
            await SectionScreen.reload.__wrapped__(overview)  # pyright: ignore[reportFunctionMemberAccess, reportUnknownMemberType]

    asyncio.run(run())
