"""The explorer as it looks, in pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.navigation import ToExplorer
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.widgets.time_graph import TimeGraph
from tests.appliance import Appliance

from .conftest import dashboard, until

NARROW, WIDE = (80, 24), (160, 48)
AnyPilot = Pilot[Any]  # Any: what an app returns


class SnapCompare(Protocol):
    def __call__(
        self, app: DashboardApp, *, terminal_size: tuple[int, int], run_before: Callable[[AnyPilot], Any]
    ) -> bool: ...


async def asked(pilot: AnyPilot, question: ToExplorer) -> ExplorerScreen:
    """Ask, and wait until the answer is there, and the graph where there is one."""
    app = cast("DashboardApp", pilot.app)
    app.go_to(question)
    await until(lambda: isinstance(app.screen, ExplorerScreen))
    screen = app.screen
    assert isinstance(screen, ExplorerScreen)
    await until(lambda: screen.shown is not None and screen.shown.question == screen.question)
    await until(lambda: not screen.query_one(TimeGraph).display or len(screen.query("PlotWidget")) > 0)
    await pilot.pause()
    return screen


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_groups_look_so(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def before(pilot: AnyPilot) -> None:
        await asked(pilot, ToExplorer(meter="tokens"))

    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_a_comparison_looks_so(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def before(pilot: AnyPilot) -> None:
        screen = await asked(pilot, ToExplorer(meter="tokens", group_by=()))
        await pilot.press("v")
        await until(lambda: screen.shown is not None and screen.shown.question.is_compared)
        if size == WIDE:
            await pilot.press("k")
            # The table has made room, and the plot has drawn itself anew for the room it got.
            table, graph = screen.query_one("#explorer-table"), screen.query_one(TimeGraph)
            await until(lambda: table.region.right <= graph.region.x and graph.region.height == table.region.height)
            await until(lambda: screen.query_one("PlotWidget").size.width == graph.size.width)
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=before)


def test_a_stacked_graph_looks_so(sampled: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await asked(pilot, ToExplorer(meter="tokens", group_by=("region",)))
        await pilot.press("t", "k", "k")
        await until(lambda: len(pilot.app.screen.query("PlotWidget")) > 0)
        await pilot.pause()

    assert snap_compare(dashboard(sampled), terminal_size=NARROW, run_before=before)


def test_a_choice_looks_so(sampled: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await asked(pilot, ToExplorer(meter="tokens"))
        await pilot.press("g")
        await until(lambda: isinstance(pilot.app.screen, Choice) and pilot.app.screen.is_settled)
        pilot.app.screen.query_one(Input).cursor_blink = False
        await pilot.pause()

    assert snap_compare(dashboard(sampled), terminal_size=NARROW, run_before=before)


def test_the_events_behind_a_figure_look_so(sampled: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        filters = {"customer": ("acme",), "region": ("eu",)}
        await asked(pilot, ToExplorer(meter="tokens", group_by=(), filters=filters))
        await pilot.press("x")
        await until(lambda: isinstance(pilot.app.screen, EventsBehind) and pilot.app.screen.is_settled)
        await pilot.pause()

    assert snap_compare(dashboard(sampled), terminal_size=NARROW, run_before=before)


def test_no_meter_yet_looks_so(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await pilot.press("2")
        await until(
            lambda: isinstance(pilot.app.screen, ExplorerScreen) and pilot.app.screen.query_one("#state").display
        )
        await until(lambda: "no meter yet" in str(pilot.app.screen.query_one("#state").render()))

    assert snap_compare(dashboard(fixed), terminal_size=NARROW, run_before=before)


def test_a_range_without_usage_looks_so(sampled: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        app = cast("DashboardApp", pilot.app)
        app.go_to(ToExplorer(meter="tokens", start="2020-01-01", end="2020-02-01"))
        await until(lambda: isinstance(app.screen, ExplorerScreen) and app.screen.has_class("-nothing"))
        await pilot.pause()

    assert snap_compare(dashboard(sampled), terminal_size=NARROW, run_before=before)


def test_a_key_without_the_scope_looks_so(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await pilot.press("2")
        await until(lambda: isinstance(pilot.app.screen, ExplorerScreen))
        await until(lambda: "scope" in str(pilot.app.screen.query_one("#state").render()))

    # An appliance of its own: a key more is a block more in the log, which others picture.
    app = dashboard(fixed, api_key=fixed.new_key("ingest"))
    assert snap_compare(app, terminal_size=NARROW, run_before=before)
