"""The line of key hints: as many as fit, never without the one that leads to all others; the mouse does what the key does."""

from __future__ import annotations

import asyncio

import pytest

from tallystick_tui.dialogs.keys_screen import KeysScreen
from tallystick_tui.navigation import Section
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.key_hints import KeyHint, KeyHints, fitting
from tests.appliance import Appliance

from .conftest import dashboard, until


def hint(words: str, *, is_kept: bool = False) -> KeyHint:
    return KeyHint(key=words[0], shown=words[0], words=words, tooltip="", is_idle=False, is_kept=is_kept)


OWN = [hint("open"), hint("new"), hint("change")]
APP = [hint("?keys", is_kept=True), hint("quit", is_kept=True)]
WIDTH = sum(each.width for each in [*OWN, *APP])


@pytest.mark.parametrize(
    ("width", "own"),
    [
        pytest.param(WIDTH, ["open", "new", "change"], id="all fit"),
        pytest.param(WIDTH - 1, ["open", "new"], id="the last of the screen's goes first"),
        pytest.param(WIDTH - OWN[2].width + 3, ["open", "new"], id="just room to say that there are more"),
        pytest.param(WIDTH - OWN[2].width + 2, ["open"], id="no room to say that there are more"),
        pytest.param(5, [], id="a terminal narrower than any line"),
    ],
)
def test_as_many_hints_are_shown_as_fit_beside_those_of_the_app(width: int, own: list[str]) -> None:
    assert [each.words for each in fitting([*OWN, *APP], width)] == own


def drawn(hints: KeyHints) -> str:
    return "".join(segment.text for segment in hints.render_line(0))


def test_hints_follow_the_screen_and_a_click_does_what_the_key_does(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press(Section.METERS.key)
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
            hints = app.screen.query_one(KeyHints)
            await until(lambda: "n New" in drawn(hints) and "? All keys" in drawn(hints))
            await pilot.click(KeyHints, offset=(drawn(hints).index("All keys"), 0))
            await until(lambda: isinstance(app.screen, KeysScreen))
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, KeysScreen))
            await pilot.click(KeyHints, offset=(drawn(hints).index("New"), 0))
            await until(lambda: isinstance(app.screen, MeterForm))

    asyncio.run(run())


def test_where_there_is_no_hint_a_click_does_nothing_and_an_idle_one_rings(
    sampled: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        pressed: list[str] = []
        rung: list[bool] = []
        async with app.run_test(size=(50, 24)) as pilot:
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
            monkeypatch.setattr(app, "simulate_key", pressed.append)
            monkeypatch.setattr(app, "bell", lambda: rung.append(True))
            hints = app.screen.query_one(KeyHints)
            idle = KeyHint(key="i", shown="i", words="Idle", tooltip="Why it is idle", is_idle=True, is_kept=False)
            hints.hints = [idle, *(hint(words * 4) for words in ("open ", "new ", "change ")), *APP]
            hints.refresh()
            await until(lambda: " … " in drawn(hints))
            line = drawn(hints)
            await pilot.click(KeyHints, offset=(line.index("…"), 0))
            await pilot.click(KeyHints, offset=(49, 0))
            assert (pressed, rung) == ([], [])
            await pilot.click(KeyHints, offset=(line.index("Idle"), 0))
            assert (pressed, rung) == ([], [True])
            await pilot.click(KeyHints, offset=(line.index("quit"), 0))
            assert pressed == ["q"]
            await pilot.hover(KeyHints, offset=(line.index("Idle"), 0))
            await until(lambda: hints.tooltip == "Why it is idle")

    asyncio.run(run())
