"""An operator's first day, by keys alone and by what the screen says: a meter, a figure's reason, a refused event, a signal that fires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.screens.explorer.events_behind import EventsBehind
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.meters.meter_page import MeterPage
from tallystick_tui.screens.meters.meters_screen import MetersScreen
from tallystick_tui.screens.quarantine.entry_form import EntryForm, EventField
from tallystick_tui.screens.quarantine.quarantine_screen import QuarantineScreen
from tallystick_tui.screens.signals.signal_form import SignalForm
from tallystick_tui.screens.signals.signals_screen import SignalsScreen
from tallystick_tui.widgets.form_field import FormField
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, until

AT = "2026-11-25T09:00:00Z"


def hints(app: DashboardApp) -> set[str]:
    """Return what the footer offers: `n New`."""
    shown = [active.binding for active in app.screen.active_bindings.values() if active.binding.show and active.enabled]
    return {f"{app.get_key_display(binding)} {binding.description}" for binding in shown}


def words(app: DashboardApp, selector: str) -> str:
    """Return the words of a widget on the present screen; none while it is not there."""
    return "\n".join(str(found.content) for found in app.screen.query(selector).results(Static))


def rows(app: DashboardApp, selector: str) -> list[list[str]]:
    """Return the rows of a table on the present screen; none while it is not there."""
    return [
        [str(cell) for cell in table.get_row_at(row)]
        for table in app.screen.query(selector).results(RecordTable)
        for row in range(table.row_count)
    ]


def focused_field(app: DashboardApp) -> str:
    """Return the name of the field that is typed into."""
    focused = app.screen.focused
    within = [] if focused is None else [each for each in focused.ancestors if isinstance(each, FormField)]
    return within[0].field_name if within else ""


async def type_at(app: DashboardApp, pilot: Pilot[Any], name: str, text: str) -> None:  # Any: what the app returns
    """Go on by tab until the field has the focus, and type."""
    for _ in range(30):
        await until(lambda: focused_field(app) != "")
        if focused_field(app) == name:
            break
        await pilot.press("tab")
    assert focused_field(app) == name
    await pilot.press(*(letter if letter != "." else "full_stop" for letter in text))


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_the_first_day_is_done_by_what_the_screen_says(
    start_fixed: Callable[[], Appliance], size: tuple[int, int]
) -> None:
    appliance = start_fixed()
    events = [
        {"id": f"{customer}-{n}", "source": "gw", "type": "call", "customer": customer, "time": AT,
         "properties": {"ms": 10 * n, "region": "eu"}}
        for customer in ("acme", "zoe") for n in range(1, 4)
    ]  # fmt: skip
    appliance.client.post("/v1/events", json=events).raise_for_status()
    refused = {"id": "late", "source": "gw", "type": "call", "customer": "zoe", "time": "noon", "properties": {"ms": 5}}
    appliance.client.post("/v1/events", json=[refused])

    async def run() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=size) as pilot:
            await until(lambda: "1-9 Sections" in hints(app))
            await define_a_meter(app, pilot)
            await find_why(app, pilot)
            await fix_the_refused_event(app, pilot)
            await set_a_signal(app, pilot)

    asyncio.run(run())
    # What the screens said is what the appliance has.
    params = {"from": "2026-11-25T00:00:00Z", "window": "day"}
    usage = appliance.client.get("/v1/meters/latency/usage", params=params).json()
    assert [Decimal(str(each["value"])) for each in usage["totals"]] == [Decimal(125)], usage
    assert appliance.client.get("/v1/quarantine").json()["items"] == []
    assert appliance.client.get("/v1/signals/busy").json()["condition"]["value"] == 62


async def define_a_meter(app: DashboardApp, pilot: Pilot[Any]) -> None:
    await pilot.press("4")
    await until(lambda: "n makes one" in words(app, "#state"))
    await pilot.press("n")
    await until(lambda: isinstance(app.screen, MeterForm) and focused_field(app) == "key")
    assert {"^s Save", "esc Leave"} <= hints(app)
    await type_at(app, pilot, "key", "latency")
    await type_at(app, pilot, "event_type", "call")
    await pilot.press("down", "enter")
    await until(lambda: words(app, "#preview-figure").startswith("6"))
    await type_at(app, pilot, "field", "ms")
    await until(lambda: "properties.ms" in app.export_screenshot())
    await pilot.press("down", "enter")
    await until(lambda: words(app, "#preview-figure").startswith("120"))
    await pilot.press("ctrl+s")
    await until(lambda: isinstance(app.screen, MetersScreen) and any("120" in row for row in rows(app, "#meters")))


async def find_why(app: DashboardApp, pilot: Pilot[Any]) -> None:
    assert "⏎ Open" in hints(app)
    await pilot.press("enter")
    await until(lambda: isinstance(app.screen, MeterPage) and "x Explore" in hints(app))
    await pilot.press("x")
    await until(lambda: isinstance(app.screen, ExplorerScreen) and len(rows(app, "#explorer-table")) == 2)
    assert [row[:2] for row in rows(app, "#explorer-table")] == [["acme", "60"], ["zoe", "60"]]
    assert "x Events" in hints(app)
    await pilot.press("x")
    await until(lambda: isinstance(app.screen, EventsBehind) and "= the figure 60" in words(app, "#behind-proof"))
    assert len(rows(app, "#behind")) == 3
    await pilot.press("escape")
    await until(lambda: isinstance(app.screen, ExplorerScreen))
    await pilot.press("enter")
    await until(lambda: isinstance(app.screen, Choice))
    await pilot.press("escape")
    await until(lambda: isinstance(app.screen, ExplorerScreen))


async def fix_the_refused_event(app: DashboardApp, pilot: Pilot[Any]) -> None:
    await pilot.press("7")
    await until(lambda: isinstance(app.screen, QuarantineScreen) and len(rows(app, "#entries")) == 1)
    await until(lambda: "⏎ Open" in hints(app))
    await pilot.press("enter")
    await until(lambda: isinstance(app.screen, EntryForm))
    editor = app.screen.query_one(EventField).editor
    await until(lambda: editor.selected_text == "noon" and editor.has_focus)
    await pilot.press(*({":": "colon", "-": "minus"}.get(letter, letter) for letter in AT))
    await until(lambda: "^s sends it" in words(app, "#entry-check"))
    await pilot.press("ctrl+s")
    await until(lambda: isinstance(app.screen, QuarantineScreen) and "Quarantine is empty" in words(app, "#state"))


async def set_a_signal(app: DashboardApp, pilot: Pilot[Any]) -> None:
    await pilot.press("6")
    await until(lambda: isinstance(app.screen, SignalsScreen) and "n New" in hints(app))
    await pilot.press("n")
    await until(lambda: isinstance(app.screen, SignalForm) and focused_field(app) == "key")
    await type_at(app, pilot, "key", "busy")
    await type_at(app, pilot, "thresholds", "62")
    await until(lambda: "fired 1 time" in words(app, "#preview-counts"))
    await pilot.press("ctrl+s")
    await until(
        lambda: (
            isinstance(app.screen, SignalsScreen)
            and any(row[0] == "busy" for row in rows(app, "#view-signals RecordTable"))
        )
    )
    await pilot.press("f")

    def fired() -> list[list[str]]:
        return rows(app, "#view-fired RecordTable")

    async with asyncio.timeout(20):
        while not fired():
            await pilot.press("r")
            await pilot.pause(0.1)
    assert fired()[0][:3] == ["● fired", "zoe", "busy"]
