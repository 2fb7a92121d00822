"""Settings as they look, in pictures that a person has looked at."""

from __future__ import annotations

from typing import Any, cast

import pytest
from textual.pilot import Pilot

from tallystick_tui.app import DashboardApp
from tallystick_tui.screens.settings.new_key_form import NewKeyForm
from tallystick_tui.screens.settings.settings_screen import SettingsScreen
from tests.appliance import Appliance

from .conftest import until
from .pictures.filling import KEYS
from .pictures.scenes import settings, still
from .steady import steady_dashboard
from .test_overview import SnapCompare

AnyPilot = Pilot[Any]  # Any: what an app returns
NARROW, WIDE = (80, 24), (160, 48)


def app_of(pilot: AnyPilot) -> DashboardApp:
    return cast("DashboardApp", pilot.app)


async def opened(pilot: AnyPilot) -> None:
    await settings(app_of(pilot), pilot)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
def test_keys_and_themes_look_so(fixed: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    for name, scopes in KEYS:
        body = {"name": name, "scopes": scopes, "expires_at": "2026-11-28T10:00:00Z" if name == "billing" else None}
        fixed.client.post("/v1/api-keys", json=body).raise_for_status()
    assert snap_compare(steady_dashboard(fixed), terminal_size=size, run_before=opened)


def test_a_new_key_looks_so(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await opened(pilot)
        await pilot.press("n")
        await until(lambda: isinstance(pilot.app.screen, NewKeyForm))
        await pilot.press(*"gateway", "enter")
        await until(lambda: not isinstance(pilot.app.screen, NewKeyForm))
        await still(app_of(pilot), pilot)

    assert snap_compare(steady_dashboard(fixed), terminal_size=NARROW, run_before=before)


def test_a_key_that_is_no_admin_looks_so(fixed: Appliance, snap_compare: SnapCompare) -> None:
    async def before(pilot: AnyPilot) -> None:
        await pilot.press("9")
        await until(lambda: isinstance(pilot.app.screen, SettingsScreen))
        await until(lambda: "scope" in str(pilot.app.screen.query_one("#state").render()))
        await still(app_of(pilot), pilot)

    app = steady_dashboard(fixed, api_key=fixed.new_key("read"))
    assert snap_compare(app, terminal_size=NARROW, run_before=before)
