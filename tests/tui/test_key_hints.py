"""The line of key hints: as many as fit, never without those that lead to all others; the mouse does what the key does."""

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


def hint(words: str, *, is_everywhere: bool = False) -> KeyHint:
    return KeyHint(key=words[0], shown=words[0], words=words, tooltip="", is_idle=False, is_everywhere=is_everywhere)


OWN = [hint("open"), hint("new"), hint("change")]
APP = [hint("?keys", is_everywhere=True), hint("quit", is_everywhere=True)]
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
    shown, everywhere = fitting([*OWN, *APP], width)
    assert [each.words for each in shown] == own
    assert everywhere == APP


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
            # Beside the last one nothing is done.
            await pilot.click(KeyHints, offset=(78, 0))
            assert isinstance(app.screen, MeterForm)

    asyncio.run(run())


def test_a_form_that_is_left_before_its_fields_are_there_leaves_no_error(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await pilot.press(Section.METERS.key)
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
            section = app.screen
            for turn in range(12):
                app.simulate_key("n")
                await until(lambda: isinstance(app.screen, MeterForm))
                await asyncio.sleep(turn * 0.01)
                app.simulate_key("escape")
                await until(lambda: app.screen is section)
            await pilot.pause()

    asyncio.run(run())
