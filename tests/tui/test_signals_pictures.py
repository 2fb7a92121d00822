"""Signals as they look, in pictures that a person has looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tallystick_tui.app import DashboardApp
from tallystick_tui.screens.signals.signals_screen import SignalsScreen
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import until
from .pictures.filling import fill_for_pictures
from .pictures.scenes import signal_form, signals, still
from .pictures.taken import fixed_appliance
from .steady import steady_dashboard
from .test_overview import SnapCompare

AnyPilot = Pilot[Any]  # Any: what an app returns
NARROW, WIDE = (80, 24), (160, 48)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Start an appliance with a fortnight of usage, and signals of which some fired."""
    with fixed_appliance(tmp_path_factory.mktemp("watched")) as appliance:
        fill_for_pictures(appliance)
        yield appliance


def app_of(pilot: AnyPilot) -> DashboardApp:
    return cast("DashboardApp", pilot.app)


async def listed(pilot: AnyPilot, key: str) -> None:
    """Show one of the lists, filled."""
    app = app_of(pilot)
    await signals(app, pilot)
    await pilot.press(key)
    view = cast("SignalsScreen", app.screen).present
    await until(lambda: view.query_one(RecordTable).row_count > 0)
    await still(app, pilot)


@SIZES
def test_what_is_fired_looks_so(watched: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def before(pilot: AnyPilot) -> None:
        await signals(app_of(pilot), pilot)

    assert snap_compare(steady_dashboard(watched), terminal_size=size, run_before=before)


@SIZES
def test_the_signals_look_so(watched: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def before(pilot: AnyPilot) -> None:
        await listed(pilot, "s")

    assert snap_compare(steady_dashboard(watched), terminal_size=size, run_before=before)


@SIZES
def test_the_form_looks_so(watched: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def before(pilot: AnyPilot) -> None:
        await signal_form(app_of(pilot), pilot)

    assert snap_compare(steady_dashboard(watched), terminal_size=size, run_before=before)


def test_no_signals_look_so(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await pilot.press("6")
        await until(lambda: isinstance(pilot.app.screen, SignalsScreen) and pilot.app.screen.has_content)
        await pilot.press("s")
        view = cast("SignalsScreen", pilot.app.screen).present
        await until(lambda: view.has_class("-empty"))
        await still(app_of(pilot), pilot)

    assert snap_compare(steady_dashboard(fixed), terminal_size=NARROW, run_before=before)


def test_a_key_without_the_scope_looks_so(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await pilot.press("6")
        await until(lambda: isinstance(pilot.app.screen, SignalsScreen))
        await until(lambda: "scope" in str(pilot.app.screen.query_one("#state").render()))
        await still(app_of(pilot), pilot)

    app = steady_dashboard(fixed, api_key=fixed.new_key("ingest"))
    assert snap_compare(app, terminal_size=NARROW, run_before=before)
