"""The dashboard as a whole: sections by key, the palette, a lost connection."""

from __future__ import annotations

import asyncio

from tallystick_tui.navigation import Section
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tests.appliance import Appliance

from .conftest import dashboard, until


def test_each_digit_opens_its_section(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)) as pilot:
            for section in Section:
                await pilot.press(section.key)
                await pilot.pause()
                await until(
                    lambda section=section: isinstance(app.screen, SectionScreen) and app.screen.SECTION is section
                )

    asyncio.run(run())


def test_a_lost_connection_shows_a_banner_until_the_appliance_is_back(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await asyncio.to_thread(fixed.kill)
            await pilot.press("r")
            await until(lambda: app.screen.query_one(ConnectionBanner).display)
            assert "cannot reach" in str(app.screen.query_one(ConnectionBanner).words)
            await asyncio.to_thread(fixed.start)
            await until(lambda: not app.screen.query_one(ConnectionBanner).display)

    asyncio.run(run())
