"""A form's frame is there before its fields: until these are, its keys wait, and leaving it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Select

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.meter import Aggregator
from tallystick_tui.connection.quarantine import Entry
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.dialogs.keys_screen import KeysScreen
from tallystick_tui.screens.customers.customer_form import CustomerForm
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.quarantine.correction_form import CorrectionForm
from tallystick_tui.screens.quarantine.entry_form import EntryForm
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.screens.signals.channel_form import ChannelForm
from tallystick_tui.screens.signals.signal_form import SignalForm
from tallystick_tui.widgets.choice_field import ChoiceField
from tallystick_tui.widgets.form_field import FormField, TextField
from tests.appliance import Appliance

from .conftest import dashboard, until

AnyForm = FormScreen[Any]  # Any: whatever it answers
SUM = Aggregator(
    name="sum", summary="adds up", options=[], options_schema=None, source="", package="", version="", error=None
)
ENTRY = Entry(
    id="1", received_at="2026-11-25T10:00:00Z", code="missing_type", detail="type: is required",
    content_type="application/json", raw="{}", raw_base64=None, times_seen=1,
)  # fmt: skip
FORMS: dict[str, Callable[[DashboardApp], AnyForm]] = {
    "meter": lambda app: MeterForm(app.client, app.viewer, [SUM]),
    "signal": lambda app: SignalForm(app.client, app.viewer),
    "channel": lambda app: ChannelForm(app.client),
    "customer": lambda app: CustomerForm(app.client, app.viewer),
    "entry": lambda app: EntryForm(app.client, app.viewer, ENTRY),
    "correction": lambda app: CorrectionForm(app.client, [ENTRY]),
}


async def overview(app: DashboardApp) -> SectionScreen:
    await until(lambda: isinstance(app.screen, SectionScreen) and app.screen.has_content)
    assert isinstance(app.screen, SectionScreen)
    return app.screen


def is_ready(form: AnyForm) -> bool:
    return form.check_action("save", ()) is True


@pytest.mark.parametrize("name", FORMS)
def test_keys_wait_until_there_are_fields_and_then_work(sampled: Appliance, name: str) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            await overview(app)
            form = FORMS[name](app)
            app.push_screen(form)
            for pause_s in (0.0, 0.01, 0.03):
                for key in ("ctrl+s", "ctrl+t", "ctrl+o"):
                    app.simulate_key(key)
                await asyncio.sleep(pause_s)
            await until(lambda: is_ready(form))
            assert app.screen is form
            assert list(form.query(FormField))
            await pilot.press("f1")
            await until(lambda: isinstance(app.screen, KeysScreen))
            await pilot.press("escape")
            await until(lambda: app.screen is form)

    asyncio.run(run())


@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_is_left_before_its_fields_are_there_goes_without_an_error(sampled: Appliance, name: str) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)):
            section = await overview(app)
            for turn in range(10):
                app.push_screen(FORMS[name](app))
                await until(lambda: isinstance(app.screen, FormScreen))
                await asyncio.sleep(turn * 0.012)
                app.simulate_key("escape")
                await until(lambda: app.screen is section)

    asyncio.run(run())


def test_a_form_that_is_left_in_the_middle_of_being_laid_out_goes_once_all_is_there(
    sampled: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=(160, 48)) as pilot:
            section = await overview(app)
            form = FORMS["meter"](app)
            compose = Select[str].compose

            def left_meanwhile(select: Select[str]) -> Any:  # Any: as Textual has it
                form.action_leave()
                return compose(select)

            monkeypatch.setattr(Select, "compose", left_meanwhile)
            app.push_screen(form)
            await until(lambda: app.screen is section and not form.is_attached)
            await pilot.pause()

    asyncio.run(run())


def test_what_was_typed_before_lists_came_is_a_change_that_leaving_asks_about(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        may_answer = asyncio.Event()
        ask_page = app.client.ask_page

        async def late(*args: Any, **named: Any) -> Any:  # Any: as the client has it
            await may_answer.wait()
            return await ask_page(*args, **named)

        async with app.run_test(size=(160, 48)) as pilot:
            await overview(app)
            app.client.ask_page = late
            form = FORMS["signal"](app)
            app.push_screen(form)
            await until(lambda: is_ready(form))
            await pilot.press("a", "b", "c")
            key = next(field for field in form.query(TextField) if field.field_name == "key")
            await until(lambda: key.value == "abc" and form.is_changed)
            may_answer.set()
            meter = next(field for field in form.query(ChoiceField) if field.field_name == "meter")
            await until(lambda: meter.value is not None)
            assert form.is_changed
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, Confirmation))

    asyncio.run(run())
