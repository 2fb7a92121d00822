"""Pictures of meters, customers and quarantine: lists, one of each, forms; empty, and refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.navigation import Destination, Section, ToCustomer, ToMeter
from tallystick_tui.screens.customers.customer_page import CustomerPage
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.meters.meter_page import MeterPage
from tallystick_tui.screens.quarantine.entry_form import EntryForm
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.state_message import StateMessage
from tests.appliance import Appliance

from .conftest import dashboard, fixed_now, until

SIZES = [(80, 24), (160, 48)]
IDS = ["80x24", "160x48"]
# Workers that fill a screen.
_FILLING = frozenset({"load", "trends", "preview", "suggest", "plot-library"})
AnyPilot = Pilot[Any]  # Any: what an app returns
Prepare = Callable[[AnyPilot], Awaitable[None]]


class SnapCompare(Protocol):
    def __call__(self, app: DashboardApp, *, terminal_size: tuple[int, int], run_before: Prepare) -> bool: ...


def app_of(pilot: AnyPilot) -> DashboardApp:
    assert isinstance(pilot.app, DashboardApp)
    return pilot.app


async def settled(pilot: AnyPilot, *, plots: int = 0) -> None:
    """Hold what moves by itself, and wait until it is drawn."""
    app = app_of(pilot)
    await until(lambda: len(app.screen.query("PlotWidget")) >= plots)
    for line in app.screen.query(Input):
        line.cursor_blink = False
    for editor in app.screen.query(TextArea):
        editor.cursor_blink = False
    await until(lambda: not any(each.is_running for each in app.workers if each.group in _FILLING))
    await pilot.pause()


def text_of(app: DashboardApp, selector: str) -> str:
    found = app.screen.query(selector)
    return str(found.first(Static).render()) if found else ""


def arrived(destination: Destination, kind: type[SectionScreen], *, plots: int = 0) -> Prepare:
    """Return what opens something and waits until it is filled."""

    async def prepare(pilot: AnyPilot) -> None:
        app = app_of(pilot)
        await pilot.pause()
        app.go_to(destination)
        await until(lambda: isinstance(app.screen, kind) and app.screen.has_content)
        await settled(pilot, plots=plots)

    return prepare


async def trends_shown(pilot: AnyPilot) -> None:
    app = app_of(pilot)
    await arrived(Destination(Section.METERS), SectionScreen)(pilot)
    table = app.screen.query_one("#meters", RecordTable)
    await until(lambda: table.row_count == 4 and "1,611,840" in [str(cell) for cell in table.get_row("tokens")])
    await settled(pilot)


async def form_filled(pilot: AnyPilot) -> None:
    app = app_of(pilot)
    await trends_shown(pilot)
    await pilot.press("down", "down", "e")
    await until(lambda: isinstance(app.screen, MeterForm))
    await until(lambda: text_of(app, "#preview-figure").startswith("1,697,520"))
    await settled(pilot, plots=1)


async def editor_opened(pilot: AnyPilot) -> None:
    app = app_of(pilot)
    await arrived(Destination(Section.QUARANTINE), SectionScreen)(pilot)
    await pilot.press("down", "enter")
    await until(lambda: isinstance(app.screen, EntryForm))
    await until(lambda: app.screen.query_one(TextArea).selected_text == "2027-01-01T00:00:00Z")
    await settled(pilot)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_a_picture_of_the_meters(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=trends_shown)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_a_picture_of_a_meter(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    prepare = arrived(ToMeter(key="tokens"), MeterPage, plots=1)
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=prepare)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_a_picture_of_a_meter_being_changed(
    sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]
) -> None:
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=form_filled)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_a_picture_of_a_customer(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    prepare = arrived(ToCustomer(key="acme"), CustomerPage, plots=1)
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=prepare)


def test_a_picture_of_the_customers(sampled: Appliance, snap_compare: SnapCompare) -> None:
    prepare = arrived(Destination(Section.CUSTOMERS), SectionScreen)
    assert snap_compare(dashboard(sampled), terminal_size=(80, 24), run_before=prepare)


@pytest.mark.parametrize("size", SIZES, ids=IDS)
def test_a_picture_of_quarantine(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    prepare = arrived(Destination(Section.QUARANTINE), SectionScreen)
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=prepare)


def test_a_picture_of_a_refused_event_in_its_editor(sampled: Appliance, snap_compare: SnapCompare) -> None:
    assert snap_compare(dashboard(sampled), terminal_size=(80, 24), run_before=editor_opened)


def test_a_picture_of_meters_in_plain_mode(sampled: Appliance, snap_compare: SnapCompare) -> None:
    assert snap_compare(dashboard(sampled, is_plain=True), terminal_size=(80, 24), run_before=trends_shown)


@pytest.mark.parametrize("section", [Section.METERS, Section.CUSTOMERS, Section.QUARANTINE])
def test_a_picture_of_nothing_yet(fixed: Appliance, snap_compare: SnapCompare, section: Section) -> None:
    async def emptied(pilot: AnyPilot) -> None:
        await pilot.press(section.key)
        app = app_of(pilot)
        await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is section)
        await until(lambda: "loading" not in str(app.screen.query_one(StateMessage).render()))
        await settled(pilot)

    assert snap_compare(dashboard(fixed), terminal_size=(80, 24), run_before=emptied)


def test_a_picture_of_a_key_that_is_not_valid(sampled: Appliance, snap_compare: SnapCompare) -> None:
    viewer = Viewer(zone=ZoneInfo("Europe/Berlin"), now=fixed_now)
    app = DashboardApp(ApplianceClient(sampled.url, "no-such-key"), viewer=viewer, name="test")

    async def refused(pilot: AnyPilot) -> None:
        await pilot.press(Section.QUARANTINE.key)
        await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is Section.QUARANTINE)
        await until(lambda: "not valid" in str(app.screen.query_one(StateMessage).render()))
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=refused)
