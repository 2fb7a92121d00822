"""Events: what lands, what was, one of them, and voiding it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.navigation import Section, ToEvents
from tallystick_tui.screens.events.event_pane import EventPane
from tallystick_tui.screens.events.event_screen import EventScreen
from tallystick_tui.screens.events.events_screen import EventsScreen
from tallystick_tui.screens.events.find_event import FindEvent
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.state_message import StateMessage
from tests.appliance import Appliance

from .conftest import dashboard, until
from .test_overview import SnapCompare

AnyPilot = Pilot[Any]  # Any: what an app returns
NARROW, WIDE = (80, 24), (160, 48)


def screen(app: DashboardApp) -> EventsScreen:
    assert isinstance(app.screen, EventsScreen)
    return app.screen


def mode(app: DashboardApp) -> str:
    return str(screen(app).query_one("#events-mode", Static).render())


def rows(app: DashboardApp) -> list[list[str]]:
    table = screen(app).query_one("#events", RecordTable)
    return [[str(cell) for cell in table.get_row_at(number)] for number in range(table.row_count)]


def ids(app: DashboardApp) -> list[str]:
    return [row[5] for row in rows(app)]


def send(appliance: Appliance, *ids_: str, **fields: object) -> None:
    events = [{"id": id_, "type": "call", "customer": "acme", "time": "2026-11-25T09:00:00Z"} | fields for id_ in ids_]
    appliance.client.post("/v1/events", json=events).raise_for_status()


async def opened(pilot: AnyPilot) -> DashboardApp:
    app = cast("DashboardApp", pilot.app)
    await pilot.press("3")
    await until(lambda: isinstance(app.screen, EventsScreen) and app.screen.has_content)
    return app


def test_what_lands_is_shown_on_top_by_itself(fixed: Appliance) -> None:
    send(fixed, "old")

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: ids(app) == ["old"])
            await asyncio.to_thread(send, fixed, "new-1", "new-2")
            await until(lambda: ids(app) == ["new-2", "new-1", "old"])
            assert "live" in mode(app)
            assert screen(app).query_one("#events", RecordTable).cursor_row == 0

    asyncio.run(run())


def test_space_holds_the_list_still_and_goes_on(fixed: Appliance) -> None:
    send(fixed, "old")

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: ids(app) == ["old"])
            await pilot.press("space")
            await asyncio.to_thread(send, fixed, "new-1", "new-2")
            await until(lambda: "2 landed since" in mode(app))
            assert ids(app) == ["old"]
            await pilot.press("space")
            await until(lambda: sorted(ids(app)) == ["new-1", "new-2", "old"])
            assert "live" in mode(app)

    asyncio.run(run())


def test_moving_into_the_list_holds_it_still(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) >= 20)
            await pilot.press("down")
            await until(lambda: "paused" in mode(app))
            assert screen(app).query_one("#events", RecordTable).cursor_row == 1

    asyncio.run(run())


def test_a_flood_is_shown_as_a_sample_with_its_rate(fixed: Appliance) -> None:
    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            for batch in range(6):
                names = [f"{batch}-{number}" for number in range(4_000)]
                await asyncio.to_thread(send, fixed, *names)
            await until(lambda: "a sample of 40/s is shown" in mode(app))
            assert "k/s" in mode(app)
            assert len(rows(app)) <= 100

    asyncio.run(run())


def test_filters_narrow_the_list_and_what_lands(fixed: Appliance) -> None:
    send(fixed, "a-1", customer="acme")
    send(fixed, "g-1", customer="globex")

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) == 2)
            await pilot.press("slash", *"acme", "enter")
            await until(lambda: ids(app) == ["a-1"])
            await asyncio.to_thread(send, fixed, "g-2", customer="globex")
            await asyncio.to_thread(send, fixed, "a-2", customer="acme")
            await until(lambda: ids(app) == ["a-2", "a-1"])
            await pilot.press("escape")
            await until(lambda: len(rows(app)) == 4)
            assert screen(app).query_one("#filter-customer", Input).value == ""

    asyncio.run(run())


def test_a_range_of_time_shows_what_was_page_by_page(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await pilot.press("slash", "tab", "tab", *"7d", "enter")
            await until(lambda: "page 1" in mode(app))
            await until(lambda: len(rows(app)) == 100)
            first = ids(app)
            await pilot.press("o")
            await until(lambda: "page 2" in mode(app) and ids(app) != first)
            assert set(ids(app)).isdisjoint(first)
            await pilot.press("n")
            await until(lambda: ids(app) == first)
            await pilot.press("space")
            await until(lambda: "live" in mode(app))
            assert screen(app).query_one("#filter-time", Input).value == ""

    asyncio.run(run())


def test_a_time_that_cannot_be_read_is_said_and_what_was_typed_stays(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) >= 20)
            await pilot.press("slash", "tab", "tab", *"soon", "enter")
            await until(lambda: "'soon' is no time" in str(screen(app).query_one(FailureLine).render()))
            assert screen(app).query_one("#filter-time", Input).value == "soon"
            assert len(rows(app)) >= 20

    asyncio.run(run())


def test_an_event_is_found_by_id_and_source(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=WIDE) as pilot:
            app = await opened(pilot)
            await pilot.press("i")
            await until(lambda: isinstance(app.screen, FindEvent))
            app.screen.query_one("#find-id", Input).value = "globex-3-1"
            app.screen.query_one("#find-source", Input).value = "gateway-1"
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, EventsScreen) and "1 event by id" in mode(app))
            await until(lambda: len(rows(app)) == 1)
            pane = screen(app).query_one(EventPane)
            await until(lambda: pane.event is not None and pane.event.block is not None)
            assert pane.event is not None
            assert pane.event.is_voided
            await pilot.press("i")
            await until(lambda: isinstance(app.screen, FindEvent))
            app.screen.query_one("#find-id", Input).value = "nothing"
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, EventsScreen) and rows(app) == [])
            await until(lambda: "nothing" in str(screen(app).query_one(FailureLine).render()))
            await pilot.press("escape")
            await until(lambda: len(rows(app)) >= 20)

    asyncio.run(run())


def test_an_event_stands_beside_the_list_with_its_receipt(sampled: Appliance) -> None:
    receipt = sampled.client.get("/v1/events/by-id", params={"id": "acme-0-0", "source": "gateway-1"}).json()

    async def run() -> None:
        async with dashboard(sampled).run_test(size=WIDE) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) >= 20)
            await pilot.press("down", "down")
            pane = screen(app).query_one(EventPane)
            await until(lambda: pane.event is not None and pane.event.id == "acme-0-0" and pane.event.block is not None)
            assert pane.event is not None
            assert pane.event.block_hash == receipt["block_hash"]
            assert pane.event.duplicates_seen == receipt["duplicates_seen"] == 1

    asyncio.run(run())


def test_where_there_is_no_room_an_event_opens_over_the_list(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) >= 20)
            await pilot.press("down", "enter")
            await until(lambda: isinstance(app.screen, EventScreen))
            pane = app.screen.query_one(EventPane)
            await until(lambda: pane.event is not None and pane.event.block is not None)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, EventsScreen))
            assert "paused" in mode(app)
            assert screen(app).query_one("#events", RecordTable).cursor_row == 1

    asyncio.run(run())


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
def test_voiding_asks_for_a_reason_and_once_more_and_says_what_came_of_it(
    fixed: Appliance, size: tuple[int, int]
) -> None:
    send(fixed, "e-1", "e-2")

    async def run() -> None:
        async with dashboard(fixed).run_test(size=size) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) == 2)
            await pilot.press("down", "v")
            await until(lambda: isinstance(app.screen, TextQuestion))
            await pilot.press(*"test", "enter")
            await until(lambda: isinstance(app.screen, Confirmation))
            words = " ".join(str(each.render()) for each in app.screen.query(Static))
            assert "e-1" in words
            assert "acme" in words
            assert app.screen.query_one("#no", Button).has_focus
            await pilot.press("y")
            await until(lambda: isinstance(app.screen, EventsScreen) and [row[0] for row in rows(app)] == [" ", "✗"])
            # Why stands with the event from then on.
            await pilot.press("enter")
            await until(lambda: any(pane.event and pane.event.voided for pane in app.screen.query(EventPane)))
            (event,) = [pane.event for pane in app.screen.query(EventPane) if pane.event]
            assert event.voided is not None
            assert event.voided.reason == "test"

    asyncio.run(run())
    state = fixed.client.get("/v1/events/by-id", params={"id": "e-1"}).json()["state"]
    assert state == "voided"


@pytest.mark.parametrize("key", ["escape", "n"])
def test_an_event_is_not_voided_when_somebody_turns_back(fixed: Appliance, key: str) -> None:
    send(fixed, "e-1")

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) == 1)
            await pilot.press("v")
            await until(lambda: isinstance(app.screen, TextQuestion))
            await pilot.press(*"test", "enter")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press(key)
            await until(lambda: isinstance(app.screen, EventsScreen))

    asyncio.run(run())
    assert fixed.client.get("/v1/events/by-id", params={"id": "e-1"}).json()["state"] == "counted"


def test_a_key_that_may_not_void_is_said_and_the_reason_is_kept(fixed: Appliance) -> None:
    send(fixed, "e-1")

    async def run() -> None:
        app = DashboardApp(ApplianceClient(fixed.url, fixed.new_key("read")))
        async with app.run_test(size=NARROW) as pilot:
            await opened(pilot)
            await until(lambda: len(rows(app)) == 1)
            await pilot.press("v")
            await until(lambda: isinstance(app.screen, TextQuestion))
            await pilot.press(*"because", "enter")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press("y")
            await until(lambda: isinstance(app.screen, EventsScreen))
            await until(lambda: "lacks the scope" in str(screen(app).query_one(FailureLine).render()))
            await pilot.press("v")
            await until(lambda: isinstance(app.screen, TextQuestion))
            assert app.screen.query_one(Input).value == "because"

    asyncio.run(run())


def test_the_customer_of_an_event_is_one_key_away_and_ids_are_copied(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=WIDE) as pilot:
            app = await opened(pilot)
            await until(lambda: len(rows(app)) >= 20)
            await pilot.press("down", "y")
            await until(lambda: app.clipboard == "acme-0-1")
            await pilot.press("Y")
            await until(lambda: '"tokens"' in app.clipboard)
            await pilot.press("c")
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is Section.CUSTOMERS)

    asyncio.run(run())


def test_others_lead_here_with_a_filter_or_an_event(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=WIDE):
            app.go_to(ToEvents(customer="hooli", type="stored"))
            await until(lambda: isinstance(app.screen, EventsScreen) and app.screen.has_content)
            await until(lambda: {(row[2], row[3]) for row in rows(app)} == {("hooli", "stored")})
            assert screen(app).query_one("#filter-customer", Input).value == "hooli"
            app.go_to(ToEvents(source="gateway-1", id="acme-5-1"))
            await until(lambda: ids(app) == ["acme-5-1"])

    asyncio.run(run())


def test_a_list_without_events_says_how_to_send_some(fixed: Appliance) -> None:
    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            hint = screen(app).query_one("#events-hint", Static)
            await until(lambda: hint.display and "tallystick import" in str(hint.render()))
            await asyncio.to_thread(send, fixed, "first")
            await until(lambda: ids(app) == ["first"])
            assert not hint.display

    asyncio.run(run())


def test_a_lost_stream_is_followed_again_when_the_appliance_is_back(fixed: Appliance) -> None:
    send(fixed, "before")

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: ids(app) == ["before"])
            await asyncio.to_thread(fixed.kill)
            await until(lambda: app.screen.query_one(ConnectionBanner).display)
            assert ids(app) == ["before"]
            await asyncio.to_thread(fixed.start)
            await until(lambda: not app.screen.query_one(ConnectionBanner).display)
            await asyncio.to_thread(send, fixed, "after")
            await until(lambda: "after" in ids(app))

    asyncio.run(run())


def test_a_key_that_may_not_read_is_said_in_words(fixed: Appliance) -> None:
    async def run() -> None:
        app = DashboardApp(ApplianceClient(fixed.url, fixed.new_key("ingest")))
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press("3")
            await until(lambda: isinstance(app.screen, EventsScreen))
            await until(lambda: "lacks the scope" in str(app.screen.query_one(StateMessage).render()))

    asyncio.run(run())


async def paused(pilot: AnyPilot) -> None:
    app = await opened(pilot)
    await until(lambda: len(rows(app)) >= 20)
    await pilot.press("down", "down")
    if app.size.width >= 120:
        pane = screen(app).query_one(EventPane)
        await until(lambda: pane.event is not None and pane.event.block is not None)
    await until(lambda: "paused" in mode(app))
    await pilot.pause()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
def test_a_picture_of_events(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=paused)


def test_a_picture_of_one_event(sampled: Appliance, snap_compare: SnapCompare) -> None:
    async def shown(pilot: AnyPilot) -> None:
        await paused(pilot)
        await pilot.press("enter")
        app = cast("DashboardApp", pilot.app)
        await until(lambda: isinstance(app.screen, EventScreen))
        pane = app.screen.query_one(EventPane)
        await until(lambda: pane.event is not None and pane.event.block is not None)
        await pilot.pause()

    assert snap_compare(dashboard(sampled), terminal_size=NARROW, run_before=shown)


def test_a_picture_of_no_events(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def emptied(pilot: AnyPilot) -> None:
        app = await opened(pilot)
        await until(lambda: screen(app).query_one("#events-hint", Static).display and "0/s" in mode(app))
        await pilot.pause()

    assert snap_compare(dashboard(fixed), terminal_size=NARROW, run_before=emptied)


def test_a_list_is_shown_though_no_more_streams_are_open(start_fixed: Callable[..., Appliance]) -> None:
    running = start_fixed(streams_max=1)
    send(running, "old")

    async def run() -> None:
        async with dashboard(running).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: ids(app) == ["old"])
            await until(lambda: "cannot follow" in str(screen(app).query_one(FailureLine).render()))

    with running.client_with(running.admin_key) as watcher, watcher.stream("GET", "/v1/events/stream") as taken:
        pieces = taken.iter_raw()
        assert next(pieces)
        asyncio.run(run())
