"""Words that come from outside stand on the screen as they came: brackets in them are no markup."""

from __future__ import annotations

import asyncio

from tallystick_tui.dialogs.choice import Choice, Offer
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.state_message import StateMessage
from tests.appliance import Appliance

from .conftest import dashboard, until

WORDS = "there is no meter '[/b]' nor '[red]'"


def test_brackets_in_a_failure_are_shown_and_not_read_as_markup(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, SectionScreen))
            screen = app.screen
            assert isinstance(screen, SectionScreen)
            screen.say(WORDS)
            screen.show_connection(WORDS)
            screen.query_one("#state", StateMessage).say(WORDS)
            # Looked at before anything is awaited: an answer that comes takes them away again.
            for shown in (FailureLine, ConnectionBanner, StateMessage):
                assert WORDS in str(screen.query_one(shown).render())
            await pilot.pause()

    asyncio.run(run())


def test_brackets_in_a_dialogs_title_are_shown_as_they_are(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: isinstance(app.screen, SectionScreen))
            for dialog in (
                Choice("the [red] ones", [Offer("[/b]")]),
                Confirmation("the [red] ones", "really?", does="Yes"),
                TextQuestion("the [red] ones", "what?"),
            ):
                app.push_screen(dialog)
                await pilot.pause()
                assert "[red]" in app.export_screenshot()
                app.pop_screen()

    asyncio.run(run())
