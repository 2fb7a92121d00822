"""The dashboard as a whole: sections by key, the palette, a lost connection."""

from __future__ import annotations

import asyncio

from textual.widgets import Input, OptionList, Static

from tallystick_tui.dialogs.keys_screen import KeysScreen, KeyTable
from tallystick_tui.navigation import Section
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.meters.meters_screen import MetersScreen
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.form_field import TextField
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


def test_the_list_of_keys_begins_with_those_of_the_screen_and_ends_with_those_that_move(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press(Section.METERS.key)
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
            await pilot.press("question_mark")
            await until(lambda: isinstance(app.screen, KeysScreen) and bool(app.screen.query(KeyTable)))
            told = app.screen.query_one(KeyTable).rows
            keys = [key for key, _ in told]
            for first, then in (("n", "1-9"), ("d", "1-9"), ("1-9", "q"), ("q", "↓"), ("q", "tab")):
                assert keys.index(first) < keys.index(then), keys
            assert dict(told)["1-9"].startswith("Overview, Explorer")

    asyncio.run(run())


def test_what_stays_is_set_aside_once_for_each_section_that_is_opened(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        opened: list[str] = []
        app.after_opening = lambda: opened.append(app.current_mode)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(lambda: opened == [Section.OVERVIEW.value])
            for section in (Section.METERS, Section.OVERVIEW, Section.METERS):
                await pilot.press(section.key)
                await pilot.pause()
            await until(lambda: len(opened) == 2)
            await asyncio.sleep(1.2)
            assert opened == [Section.OVERVIEW.value, Section.METERS.value]

    asyncio.run(run())


def test_the_palette_finds_sections_meters_customers_and_what_the_screen_does(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press(Section.METERS.key)
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)

            def offered() -> str:
                found = app.screen.query(OptionList)
                return "\n".join(str(option.prompt) for option in found.first().options) if found else ""

            await pilot.press("ctrl+p")
            await until(lambda: "Archive" in offered() and "Go to Ledger" in offered())
            assert "Maximize" not in offered()
            for typed, found in (
                ("toke", "Meter tokens"),
                ("glob", "Customer globex"),
                ("tyre", "Customer tyrell"),
                ("ledg", "Go to Ledger"),
            ):
                app.screen.query_one(Input).value = typed
                await until(lambda found=found: found in offered())
            app.screen.query_one(Input).value = "archived"
            await until(lambda: "Show archived meters" in offered())
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, MetersScreen))
            await until(lambda: "with archived ones" in str(app.screen.query_one("#meters-words", Static).content))

    asyncio.run(run())


def test_fifty_quick_changes_of_the_section_leave_no_error(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(80, 24)) as pilot:
            for turn in range(50):
                await pilot.press(str(turn * 7 % 9 + 1))
            await pilot.press("4")
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is Section.METERS)
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)

    asyncio.run(run())


def test_a_digit_that_is_typed_into_a_line_stays_there(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press(Section.METERS.key)
            await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.SECTION is Section.METERS)
            await pilot.press("n")
            await until(lambda: isinstance(app.screen, MeterForm) and app.screen.focused is not None)
            await pilot.press("1", "q", "9")
            form = app.screen
            assert isinstance(form, MeterForm)
            await until(lambda: form.query(TextField).first().value == "1q9")

    asyncio.run(run())
