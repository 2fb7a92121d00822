"""Signals in the dashboard: what is fired, defining one, seeing when it would have fired, channels, deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static, TabbedContent

from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.dialogs.secret_shown_once import SecretShownOnce
from tallystick_tui.navigation import ToSignal
from tallystick_tui.screens.customers.customers_screen import CustomersScreen
from tallystick_tui.screens.signals.channel_form import ChannelForm
from tallystick_tui.screens.signals.delivery_page import DeliveryPage
from tallystick_tui.screens.signals.signal_form import SignalForm
from tallystick_tui.screens.signals.signal_page import SignalPage
from tallystick_tui.screens.signals.signals_screen import SignalsScreen
from tallystick_tui.screens.signals.snooze_question import SnoozeQuestion
from tallystick_tui.widgets.form_field import FormField, TextField
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, notices, until

SIZES = [(80, 24), (160, 48)]
Steps = Callable[[DashboardApp, Pilot[None]], Coroutine[Any, Any, None]]  # Any: what a coroutine is
CAP: dict[str, Any] = {  # Any: a body
    "key": "cap",
    "name": "Monthly cap",
    "meter": "calls",
    "scope": {"customer": "*"},
    "condition": {"type": "threshold", "limit": 10, "thresholds": [50, 100]},
}


@pytest.fixture
def allowing(start_fixed: Callable[..., Appliance]) -> Appliance:
    """Start an appliance that may send to this machine, where nothing listens on the port that tests name."""
    return start_fixed(allowed_networks="127.0.0.1/32")


@pytest.fixture
def watched(allowing: Appliance) -> Appliance:
    """Give it a meter, a channel, a signal, and a customer that is past it."""
    client = allowing.client
    meter = {"key": "calls", "name": "Calls", "event_type": "call", "aggregation": "count"}
    client.post("/v1/meters", json=meter).raise_for_status()
    channel = {"key": "ops", "kind": "webhook", "url": "http://127.0.0.1:9/hook"}
    client.post("/v1/channels", json=channel).raise_for_status()
    client.post("/v1/signals", json=CAP | {"channels": ["ops"]}).raise_for_status()
    events = [
        {"id": f"{n}", "type": "call", "customer": "acme", "time": f"2026-11-{n + 1:02}T10:00:00Z"} for n in range(6)
    ]
    client.post("/v1/events", json=events).raise_for_status()
    return allowing


def at_signals(appliance: Appliance, size: tuple[int, int], steps: Steps) -> None:
    """Open the section, and go on once it is filled."""

    async def run() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=size) as pilot:
            await pilot.press("6")
            await until(lambda: isinstance(app.screen, SignalsScreen) and app.screen.has_content)
            await steps(app, pilot)

    asyncio.run(run())


def rows(app: DashboardApp) -> list[list[str]]:
    """Return the rows of the list that is shown; none while a dialog is."""
    screen = app.screen
    if not isinstance(screen, SignalsScreen):
        return []
    table = screen.present.query_one(RecordTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


async def fired(app: DashboardApp, pilot: Pilot[None]) -> None:
    """Wait until the crossing is shown."""

    async def shown() -> bool:
        await pilot.press("r")
        await pilot.pause(0.1)
        return bool(rows(app))

    async with asyncio.timeout(20):
        while not await shown():
            pass


def has_form(app: DashboardApp, kind: type[FormScreen[Any]]) -> bool:  # Any: whatever it answers
    """Whether such a form is shown, with its fields."""
    return isinstance(app.screen, kind) and len(app.screen.query(FormField)) > 0


def field(app: DashboardApp, name: str) -> FormField:
    return next(each for each in app.screen.query(FormField) if each.field_name == name)


async def typed(app: DashboardApp, pilot: Pilot[None], name: str, text: str) -> None:
    """Type into a field of the form, in place of what stands there."""
    line = field(app, name)
    assert isinstance(line, TextField)
    line.value = ""
    line.focus_control()
    await pilot.press(*text)


@pytest.mark.parametrize("size", SIZES)
def test_who_is_past_a_threshold_is_listed_and_opens_the_signal_and_the_customer(
    watched: Appliance, size: tuple[int, int]
) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await fired(app, pilot)
        assert rows(app)[0][:4] == ["● fired", "acme", "Monthly cap", "6 of 10, past 50 %"]
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, SignalPage) and app.screen.query_one(RecordTable).row_count == 1)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, SignalsScreen))
        await pilot.press("u")
        await until(lambda: isinstance(app.screen_stack[0], CustomersScreen))

    at_signals(watched, size, steps)


def test_without_signals_the_lists_say_what_to_do_next(fixed: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        for key, words in (("f", "n defines one"), ("s", "n defines one"), ("c", "n makes one"), ("d", "sends a test")):
            await pilot.press(key)
            await until(lambda: isinstance(app.screen, SignalsScreen) and app.screen.present.has_class("-empty"))
            assert isinstance(app.screen, SignalsScreen)
            assert words in str(app.screen.present.query_one(".view-empty", Static).content)

    at_signals(fixed, (80, 24), steps)


@pytest.mark.parametrize("size", SIZES)
def test_a_signal_is_defined_in_a_form_that_shows_when_it_would_have_fired(
    watched: Appliance, size: tuple[int, int]
) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("n")
        await until(lambda: has_form(app, SignalForm))
        await typed(app, pilot, "key", "three")
        await typed(app, pilot, "thresholds", "3")
        counts = app.screen.query_one("#preview-counts", Static)
        await until(lambda: "fired 1 time, for 1 of 1" in str(counts.content))
        assert "acme" in str(app.screen.query_one("#preview-steps", Static).content)
        await typed(app, pilot, "channels", "ops")
        await pilot.press("ctrl+s")
        await until(lambda: any(row[0] == "three" for row in rows(app)))

    at_signals(watched, size, steps)
    made = watched.client.get("/v1/signals/three").json()
    assert made["condition"] == {"type": "threshold", "op": ">=", "value": 3}
    assert (made["scope"], made["channels"], made["period"]) == ({"customer": "*"}, ["ops"], "month")


def test_what_the_appliance_refuses_stands_at_its_field_and_nothing_typed_is_lost(watched: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("n")
        await until(lambda: has_form(app, SignalForm))
        await typed(app, pilot, "key", "zoned")
        await pilot.press("ctrl+s")
        await until(lambda: "needs a figure" in field(app, "thresholds").failure)
        await typed(app, pilot, "thresholds", "3")
        await typed(app, pilot, "timezone", "Mars")
        await pilot.press("ctrl+s")
        await until(lambda: "is no IANA time zone" in field(app, "timezone").failure)
        await asyncio.to_thread(watched.kill)
        await typed(app, pilot, "timezone", "Europe/Berlin")
        await pilot.press("ctrl+s")
        await until(lambda: "cannot reach" in str(app.screen.query_one("FailureLine", Static).content))
        await asyncio.to_thread(watched.start)
        await pilot.press("ctrl+s")
        await until(lambda: any(row[0] == "zoned" for row in rows(app)))

    at_signals(watched, (80, 24), steps)
    assert watched.client.get("/v1/signals/zoned").json()["timezone"] == "Europe/Berlin"


def test_an_edit_keeps_what_was_not_changed_and_clears_what_was_taken_away(watched: Appliance) -> None:
    patch = {"filter": {"region": ["eu", "us"]}, "group_by": ["model"]}
    watched.client.patch("/v1/signals/cap", json=patch).raise_for_status()

    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await until(lambda: bool(rows(app)))
        await pilot.press("e")
        await until(lambda: has_form(app, SignalForm))
        await typed(app, pilot, "name", "Cap")
        field(app, "filter").query(Input).first().value = ""
        await pilot.press("ctrl+s")
        await until(lambda: any(row[0] == "Cap" for row in rows(app)))

    at_signals(watched, (160, 48), steps)
    changed = watched.client.get("/v1/signals/cap").json()
    assert changed["filter"] == {}
    assert changed["group_by"] == ["model"]
    assert changed["condition"] == {"type": "threshold", "op": ">=", "thresholds": [50, 100], "limit": 10}


def test_a_signal_is_snoozed_woken_switched_off_and_deleted(watched: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await until(lambda: bool(rows(app)))
        await pilot.press("z")
        await until(lambda: isinstance(app.screen, SnoozeQuestion))
        await pilot.press("down", "enter")
        await until(lambda: bool(rows(app)) and rows(app)[0][-1] == "◌ snoozed")
        await pilot.press("z")
        await until(lambda: isinstance(app.screen, SnoozeQuestion))
        await pilot.press("down", "up", "enter")
        await until(lambda: bool(rows(app)) and rows(app)[0][-1] == "on")
        await pilot.press("o")
        await until(lambda: bool(rows(app)) and rows(app)[0][-1] == "off")
        await pilot.press("x")
        await until(lambda: isinstance(app.screen, Confirmation))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, SignalsScreen) and app.screen.present.has_class("-empty"))

    at_signals(watched, (80, 24), steps)
    assert watched.client.get("/v1/signals").json()["items"] == []


def test_a_webhook_is_made_and_its_secret_shown_once_and_a_local_address_is_refused_in_words(
    allowing: Appliance,
) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        await until(lambda: isinstance(app.screen, SignalsScreen) and app.screen.present.has_class("-empty"))
        await pilot.press("n")
        await until(lambda: has_form(app, ChannelForm))
        await typed(app, pilot, "key", "ops")
        await typed(app, pilot, "url", "https://10.0.0.1/hook")
        await pilot.press("ctrl+s")
        await until(lambda: "10.0.0.1" in field(app, "url").failure)
        await typed(app, pilot, "url", "http://127.0.0.1:9/hook")
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, SecretShownOnce))
        await until(lambda: bool(app.screen.query("#secret")))
        secret = str(app.screen.query_one("#secret", Static).content)
        assert secret.startswith("whsec_")
        await pilot.press("escape")
        await until(lambda: bool(rows(app)) and rows(app)[0][0] == "ops")
        assert secret not in app.export_screenshot()

    at_signals(allowing, (80, 24), steps)


def test_a_test_message_and_what_became_of_it_are_seen_and_it_can_be_sent_again(watched: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        await until(lambda: bool(rows(app)))
        await pilot.press("t")
        await until(lambda: any("a test is on its way" in words for words in notices(app)))
        await pilot.press("d")
        await until(lambda: any(row[1] == "channel.test" for row in rows(app)))
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, DeliveryPage))
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, SignalsScreen))
        await pilot.press("a")
        await until(lambda: any("it is sent again" in words for words in notices(app)))

    at_signals(watched, (80, 24), steps)


def test_a_new_signal_for_a_customer_begins_with_that_customer(watched: Appliance) -> None:
    async def steps(app: DashboardApp, pilot: Pilot[None]) -> None:
        app.go_to(ToSignal(new_for={"customer": "acme"}))
        await until(lambda: has_form(app, SignalForm))
        customer = field(app, "customer")
        assert isinstance(customer, TextField)
        assert (customer.value, customer.display) == ("acme", True)
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, SignalsScreen))
        assert app.screen.query_one(TabbedContent).active == "signals"

    at_signals(watched, (80, 24), steps)
