"""What leaves the explorer: views under names, CSV files, the question as text."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from textual.widgets import Input, Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.config.view_state import ViewStateFile
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.dialogs.choice import Choice
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.navigation import Section
from tallystick_tui.screens.explorer import take_out
from tallystick_tui.screens.explorer.date_range import DateRange, Preset
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.explorer.face import Face
from tallystick_tui.screens.explorer.question_texts import QuestionTexts
from tallystick_tui.viewer import Viewer
from tests.appliance import Appliance

from .conftest import fixed_now, until
from .explorer_steps import NARROW, AnyPilot, Steps, answered, choose, explorer, run, take, type_in


def test_views_are_saved_opened_and_removed(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        screen = explorer(app)
        await choose(app, pilot, "d", "today")
        await pilot.press("t")
        saved = screen.question
        await choose(app, pilot, "o", "save")
        await until(lambda: isinstance(app.screen, TextQuestion))
        await type_in(pilot, "my view")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        await pilot.press("t")
        await choose(app, pilot, "m", "stor")
        await choose(app, pilot, "o", "my")
        await answered(app)
        assert (screen.question, screen.face) == (saved, Face.GRAPH)
        # A name that no view has can be typed at once.
        await choose(app, pilot, "o", "another")
        await choose(app, pilot, "o", "remove")
        await take(app, pilot, "my")
        await pilot.press("o")
        await until(lambda: isinstance(app.screen, Choice))
        dialog = app.screen
        assert isinstance(dialog, Choice)
        assert [offer.value for offer in dialog.offers] == ["open another", "save", "remove"]

    run(sampled, steps)


def test_views_and_the_last_question_are_there_at_the_next_start(sampled: Appliance, tmp_path: Path) -> None:
    said: list[str] = []

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press(Section.EXPLORER.key)
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        await answered(app)
        await choose(app, pilot, "m", "stor")
        await choose(app, pilot, "o", "save")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen.query_one(Input).has_focus)
        await type_in(pilot, "store")
        await pilot.press("enter")
        await until(lambda: "store" in [view.name for view in kept().read().views])
        await choose(app, pilot, "d", "today")
        await pilot.press("t")
        await until(lambda: '"graph"' in kept().read().choices["explorer.last"])

    async def again(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press(Section.EXPLORER.key)
        await until(lambda: isinstance(app.screen, ExplorerScreen))
        await answered(app)
        screen = explorer(app)
        assert (screen.question.meter, screen.question.range) == ("storage", DateRange(Preset.TODAY))
        assert screen.face is Face.GRAPH
        await choose(app, pilot, "o", "store")
        await answered(app)
        assert screen.question.range == DateRange(Preset.LAST_7_DAYS)

    def kept() -> ViewStateFile:
        return ViewStateFile(tmp_path, say=said.append)

    async def go(through: Steps) -> None:
        viewer = Viewer(zone=ZoneInfo("Europe/Berlin"), now=fixed_now, kept=kept())
        app = DashboardApp(ApplianceClient(sampled.url, sampled.admin_key), viewer=viewer)
        async with app.run_test(size=NARROW) as pilot:
            await through(app, pilot)

    asyncio.run(go(steps))
    asyncio.run(go(again))
    assert said == []


def test_a_csv_file_has_every_group_and_is_not_replaced_unasked(
    sampled: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_out, "folder", lambda: tmp_path)
    file = tmp_path / "tokens-2026-11-19-to-2026-11-25.csv"
    file.write_text("mine")

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        asked = explorer(app).shown
        assert asked is not None
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen.query_one(Input).has_focus)
        assert app.screen.query_one(Input).value == str(file)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, TextQuestion))
        assert file.read_text() == "mine"
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("y")
        await until(lambda: file.read_text() != "mine")
        params = httpx.QueryParams(tuple(asked.params(with_limit=False)))
        whole = sampled.client.get(asked.path, params=params, headers={"accept": "text/csv"}).text
        assert file.read_bytes() == whole.encode()

    run(sampled, steps)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_said_beside_its_name(
    sampled: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_out, "folder", lambda: tmp_path / "nowhere")

    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen.query_one(Input).has_focus)
        first = app.screen
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, TextQuestion) and app.screen is not first)
        assert "cannot write" in str(app.screen.query_one(Static).content)
        assert app.screen.query_one(Input).value.startswith(str(tmp_path / "nowhere"))
        await pilot.press("escape")

    run(sampled, steps)


def test_the_question_is_copied_without_the_key(sampled: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: AnyPilot) -> None:
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, QuestionTexts) and app.screen.is_mounted)
        await pilot.press("c")
        assert app.clipboard.startswith('curl -sS -H "Authorization: Bearer $TALLYSTICK_API_KEY"')
        await pilot.press("t")
        assert app.clipboard.startswith("tallystick usage tokens --url ")
        assert str(sampled.admin_key) not in app.clipboard

    run(sampled, steps)
