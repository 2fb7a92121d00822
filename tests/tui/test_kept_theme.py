"""The dashboard is as it was left, and damage to what was kept is told without getting in the way."""

from __future__ import annotations

import asyncio
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tallystick_tui.app import DashboardApp
from tallystick_tui.config.view_state import ViewStateFile
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.themes import DEFAULT_THEME, THEMES
from tallystick_tui.viewer import Viewer

from .conftest import until

OTHER = next(theme.name for theme in THEMES if theme.name != DEFAULT_THEME)


def dashboard_of(folder: Path, said: list[str]) -> DashboardApp:
    """Return a dashboard of an appliance that is not there."""
    viewer = Viewer(zone=ZoneInfo(str(UTC)), kept=ViewStateFile(folder, say=said.append))
    return DashboardApp(ApplianceClient("http://127.0.0.1:9", None), viewer=viewer)


def test_a_chosen_theme_is_there_at_the_next_start(tmp_path: Path) -> None:
    async def choose() -> None:
        app = dashboard_of(tmp_path, [])
        async with app.run_test(size=(80, 24)):
            assert app.theme == DEFAULT_THEME
            app.theme = OTHER
            await until(lambda: ViewStateFile(tmp_path, say=print).read().theme == OTHER)

    asyncio.run(choose())
    assert dashboard_of(tmp_path, []).theme == OTHER


def test_a_theme_that_there_is_no_longer_gives_way_to_the_usual_one(tmp_path: Path) -> None:
    ViewStateFile(tmp_path, say=print).choose_theme("of-another-version")
    assert dashboard_of(tmp_path, []).theme == DEFAULT_THEME


def test_damage_is_said_before_the_start_and_the_dashboard_starts(tmp_path: Path) -> None:
    (tmp_path / "view-state.json").write_text("{")
    said = list[str]()
    assert dashboard_of(tmp_path, said).theme == DEFAULT_THEME
    assert "set aside as view-state.json.damaged-1" in said[-1]


def test_a_theme_that_cannot_be_kept_is_said_in_the_dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")

    async def choose() -> None:
        app = dashboard_of(tmp_path / "file" / "config", [])
        told = list[str]()

        def notify(line: str, **_options: object) -> None:
            told.append(line)

        monkeypatch.setattr(app, "notify", notify)
        async with app.run_test(size=(80, 24)):
            app.theme = OTHER
            await until(lambda: bool(told))
        assert "file" in told[0]

    asyncio.run(choose())
