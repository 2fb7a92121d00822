"""Steps through the explorer, that its tests share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.navigation import ToExplorer
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, until

NARROW, WIDE = (80, 24), (160, 48)
AnyPilot = Pilot[Any]  # Any: what an app returns
Steps = Callable[[DashboardApp, AnyPilot], Awaitable[None]]


def explorer(app: DashboardApp) -> ExplorerScreen:
    return next(screen for screen in app.screen_stack if isinstance(screen, ExplorerScreen))


def cells(app: DashboardApp, selector: str = "#explorer-table") -> list[list[str]]:
    table = app.screen.query_one(selector, RecordTable)
    return [[str(cell) for cell in table.get_row_at(number)] for number in range(table.row_count)]


def words(app: DashboardApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).content)


async def type_in(pilot: AnyPilot, text: str) -> None:
    names = {
        " ": "space",
        "-": "minus",
        "_": "underscore",
        "=": "equals_sign",
        "/": "slash",
        ".": "full_stop",
        ":": "colon",
    }
    for letter in text:
        await pilot.press(names.get(letter, letter))


async def choose(app: DashboardApp, pilot: AnyPilot, key: str, typed: str) -> None:
    """Press a key, and take what begins with the text in the dialog that comes."""
    await pilot.press(key)
    await take(app, pilot, typed)


async def take(app: DashboardApp, pilot: AnyPilot, typed: str) -> None:
    await until(lambda: isinstance(app.screen, Choice))
    dialog = app.screen
    assert isinstance(dialog, Choice)
    await until(lambda: dialog.is_settled)
    await type_in(pilot, typed)
    await pilot.press("enter")
    await until(lambda: app.screen is not dialog)


async def answered(app: DashboardApp) -> None:
    """Wait until the answer to the present question is shown."""
    screen = explorer(app)
    await until(lambda: screen.shown is not None and screen.shown.question == screen.question)


def run(appliance: Appliance, steps: Steps, *, size: tuple[int, int] = NARROW, is_plain: bool = False) -> None:
    """Open the explorer on the meter of tokens, and go through the steps."""

    async def go() -> None:
        app = dashboard(appliance, is_plain=is_plain)
        async with app.run_test(size=size) as pilot:
            app.go_to(ToExplorer(meter="tokens"))
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await answered(app)
            await steps(app, pilot)

    asyncio.run(go())
