"""The explorer where something is missing: meters, the connection, the patience of who asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from tallystick_tui.app import DashboardApp
from tallystick_tui.navigation import Section, ToExplorer
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.state_message import StateMessage
from tests.appliance import Appliance

from .conftest import dashboard, until
from .explorer_steps import NARROW, AnyPilot, answered, cells, choose, explorer, run, words


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


def test_a_figure_of_events_without_the_property_cannot_be_gone_into_and_that_is_said(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await choose(app, pilot, "g", "planet")
        await answered(app)
        assert [line[:2] for line in cells(app)] == [["(no planet)", "762,906"]]
        await pilot.press("x")
        await until(lambda: "no filter can ask for events without" in words(app, "FailureLine"))
        assert isinstance(app.screen, ExplorerScreen)

    run(sampled, steps)


def test_behind_a_duration_are_intervals_whose_seconds_add_up(fixed: Appliance) -> None:
    meter = {"key": "tokens", "event_type": "machine", "aggregation": "duration", "unit": "s", "series": "host"}
    fixed.client.post("/v1/meters", json=meter).raise_for_status()
    times = ((8, 1, "a"), (9, 0, "a"), (8, 1, "b"))
    events = [
        {
            "id": f"{hour}{host}",
            "type": "machine",
            "customer": "acme",
            "time": f"2026-11-25T{hour:02}:00:00Z",
            "value": value,
            "properties": {"host": host},
        }
        for hour, value, host in times
    ]
    fixed.client.post("/v1/events", json=events).raise_for_status()

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        assert [line[:2] for line in cells(app)] == [["acme", "10,800"]]
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, EventsBehind) and app.screen.is_settled)
        assert words(app, "#behind-proof") == "the seconds of 2 intervals add up to 10,800 of 10,800"
        assert [line[2:] for line in cells(app, "#behind")] == [
            ["1", "3,600", "acme", "a", "event"],
            ["1", "7,200", "acme", "b", "range"],
        ]

    run(fixed, steps)
