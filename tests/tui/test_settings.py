"""Settings: keys made, shown once, revoked; the theme."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.secret_shown_once import SecretShownOnce
from tallystick_tui.screens.settings.new_key_form import NewKeyForm
from tallystick_tui.screens.settings.settings_screen import SettingsScreen
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, notices, until

SIZES = [(80, 24), (160, 48)]
Steps = Callable[[DashboardApp, Pilot[None]], Coroutine[Any, Any, None]]  # Any: what a coroutine is


def at_settings(appliance: Appliance, size: tuple[int, int], steps: Steps) -> None:
    """Open the section, and go on once the keys are listed."""

    async def run() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=size) as pilot:
            await pilot.press("9")
            await until(lambda: isinstance(app.screen, SettingsScreen) and app.screen.has_content)
            await steps(app, pilot)

    asyncio.run(run())


def key_names(app: DashboardApp) -> list[str]:
    table = app.screen.query_one("#keys", RecordTable)
    return [str(table.get_row_at(row)[0]) for row in range(table.row_count)]


@pytest.mark.parametrize("size", SIZES)
def test_a_new_key_is_shown_once_and_works_and_is_listed_without_its_secret(
    fixed: Appliance, size: tuple[int, int]
) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, NewKeyForm))
        await pilot.press(*"gateway", "enter")
        await until(lambda: isinstance(app.screen, SecretShownOnce))
        secret = str(app.screen.query_one("#secret", Static).content)
        with fixed.client_with(secret) as sender:
            answer = await asyncio.to_thread(sender.post, "/v1/events", json={"id": "1", "type": "t", "customer": "c"})
        assert answer.status_code == 200
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, SettingsScreen) and "gateway" in key_names(app))
        assert secret not in app.export_screenshot()

    at_settings(fixed, size, steps)


def test_what_was_typed_stays_when_the_appliance_refuses_and_the_reason_is_shown(fixed: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, NewKeyForm))
        await pilot.press(*"gateway", "tab", "space", "ctrl+s")
        await until(lambda: "something that it may do" in str(app.screen.query_one("#problem", Static).content))
        await asyncio.to_thread(fixed.kill)
        await pilot.press("space", "ctrl+s")
        await until(lambda: "cannot reach" in str(app.screen.query_one("#problem", Static).content))
        assert app.screen.query_one("#name", Input).value == "gateway"
        await asyncio.to_thread(fixed.start)
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, SecretShownOnce))

    at_settings(fixed, (80, 24), steps)


def test_a_key_is_revoked_only_when_it_is_meant(fixed: Appliance) -> None:
    fixed.client.post("/v1/api-keys", json={"name": "a-gateway", "scopes": ["ingest"]}).raise_for_status()

    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await until(lambda: "a-gateway" in key_names(app))
        app.screen.query_one("#keys", RecordTable).move_cursor(row=key_names(app).index("a-gateway"))
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, SettingsScreen))
        assert "a-gateway" in key_names(app)
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, SettingsScreen) and "a-gateway" not in key_names(app))

    at_settings(fixed, (80, 24), steps)


def test_the_last_admin_key_stays_and_the_appliance_says_why(fixed: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("y")
        await until(lambda: any("last admin key" in words for words in notices(app)))
        assert key_names(app) == ["first admin key"]

    at_settings(fixed, (80, 24), steps)


def test_without_the_admin_scope_the_section_says_what_the_key_lacks(fixed: Appliance) -> None:
    reader = fixed.new_key("read")

    async def run() -> None:
        app = dashboard(fixed, api_key=reader)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("9")
            await until(lambda: "lacks the scope" in str(app.screen.query_one("#state", Static).content))

    asyncio.run(run())


def test_a_form_for_a_key_is_left_after_a_question_and_not_while_the_key_is_being_made(
    fixed: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = asyncio.Event()
    tell = ApplianceClient.tell

    async def slow(self: ApplianceClient, *words: Any, **more: Any) -> Any:  # Any: whatever is told
        await may_answer.wait()
        return await tell(self, *words, **more)

    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(ApplianceClient, "tell", slow)
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, NewKeyForm))
        await pilot.press(*"gateway", "escape")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, NewKeyForm))
        await pilot.press("ctrl+s", "escape", "escape")
        await pilot.pause(0.2)
        assert isinstance(app.screen, NewKeyForm)
        may_answer.set()
        await until(lambda: isinstance(app.screen, SecretShownOnce))
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, SettingsScreen) and "gateway" in key_names(app))

    at_settings(fixed, (80, 24), steps)


def test_before_the_key_of_the_dashboard_itself_is_revoked_that_is_said(fixed: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        assert len(key_names(app)) == 1
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Confirmation))
        assert any("dashboard's own key" in str(each.render()) for each in app.screen.query(Static))
        await pilot.press("n")

    at_settings(fixed, (80, 24), steps)


def test_a_theme_that_was_chosen_elsewhere_stands_in_the_settings(fixed: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        app.theme = "dracula"
        await pilot.press("r")
        theme = cast("Select[str]", app.screen.query_one("#theme", Select))
        await until(lambda: theme.value == "dracula")
        assert app.theme == "dracula"

    at_settings(fixed, (80, 24), steps)
