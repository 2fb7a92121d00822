"""A dashboard that is left open: what it holds does not grow with what it has shown."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

from tallystick_tui.screens.events.events_screen import EventsScreen
from tallystick_tui.screens.overview.overview_screen import OverviewScreen
from tests.appliance import Appliance

from .conftest import dashboard, until

# What so many refreshes may leave behind: what is kept of styles and widths of text fills up to its bounds meanwhile. The rows that are
# drawn would take ten times as much, and the events that land fifty times.
GROWTH_BYTES_MAX = 600_000
WARM_UP, WARM_UP_TAIL, ROUNDS = 10, 30, 40


def send(appliance: Appliance, start: int, count: int) -> None:
    events = [
        {"id": f"e{number}", "type": "call", "customer": f"c{number % 50}", "properties": {"n": number}}
        for number in range(start, start + count)
    ]
    appliance.client.post("/v1/events", json=events).raise_for_status()


def held_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_an_overview_that_is_refreshed_again_and_again_does_not_grow(fixed: Appliance) -> None:
    meter = {"key": "calls", "event_type": "call", "aggregation": "count"}
    fixed.client.post("/v1/meters", json=meter).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(160, 48)) as pilot:
            await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
            screen = app.screen
            assert isinstance(screen, OverviewScreen)
            await until(lambda: len(screen.query("PlotWidget")) > 0)

            async def refresh(number: int) -> None:
                await asyncio.to_thread(send, fixed, number * 20, 20)
                await screen.load()
                await pilot.pause()

            for number in range(WARM_UP):
                await refresh(number)
            before = held_bytes()
            for number in range(WARM_UP, WARM_UP + ROUNDS):
                await refresh(number)
            assert held_bytes() - before < GROWTH_BYTES_MAX

    tracemalloc.start()
    try:
        asyncio.run(run())
    finally:
        tracemalloc.stop()


def test_a_tail_that_runs_on_and_on_does_not_grow(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("3")
            await until(lambda: isinstance(app.screen, EventsScreen) and app.screen.has_content)
            screen = app.screen
            assert isinstance(screen, EventsScreen)

            async def flood(number: int) -> None:
                await asyncio.to_thread(send, fixed, number * 500, 500)
                await until(lambda: screen.landed >= (number + 1) * 500)
                screen.draw_landed()
                await pilot.pause()

            # Until the newest events that are kept are as many as may be.
            for number in range(WARM_UP_TAIL):
                await flood(number)
            before = held_bytes()
            for number in range(WARM_UP_TAIL, WARM_UP_TAIL + ROUNDS):
                await flood(number)
            assert held_bytes() - before < GROWTH_BYTES_MAX

    tracemalloc.start()
    try:
        asyncio.run(run())
    finally:
        tracemalloc.stop()
