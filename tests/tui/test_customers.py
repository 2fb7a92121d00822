"""Customers in the dashboard: searched, described, and one with its months, limits, signals and statement."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tallystick_server.cli.main import main
from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.navigation import Section, ToCustomer
from tallystick_tui.screens.customers.customer_form import CustomerForm
from tallystick_tui.screens.customers.customer_page import CustomerPage
from tallystick_tui.screens.customers.customer_usage import months_at
from tallystick_tui.screens.customers.customers_screen import CustomersScreen
from tallystick_tui.screens.customers.statement_screen import StatementScreen
from tallystick_tui.screens.events.events_screen import EventsScreen
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.widgets.form_field import TextField
from tallystick_tui.widgets.pairs_field import PairsField
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, until

NARROW, WIDE = (80, 24), (160, 48)
METER = {"key": "calls", "event_type": "call", "aggregation": "sum", "unit": "call"}
USED = [("acme", "2026-10-20T10:00:00Z", 40), ("acme", "2026-10-30T10:00:00Z", 9), ("acme", "2026-11-20T10:00:00Z", 50)]


def shown(app: DashboardApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).render())


def keys(app: DashboardApp, selector: str = "#customers") -> list[str]:
    there = app.screen.query_one(selector, RecordTable)
    return [str(there.get_row_at(number)[0]) for number in range(there.row_count)]


def row(app: DashboardApp, key: str, selector: str) -> list[str]:
    there = app.screen.query_one(selector, RecordTable)
    return [str(cell) for cell in there.get_row(key)] if key in there.rows else [""] * 9


def use(appliance: Appliance) -> None:
    """Define a meter, and let a customer use it in two months."""
    appliance.client.post("/v1/meters", json=METER).raise_for_status()
    events = [
        {"id": f"e{number}", "type": "call", "customer": customer, "time": time, "value": value}
        for number, (customer, time, value) in enumerate(USED)
    ]
    appliance.client.post("/v1/events", json=events).raise_for_status()


async def open_section(app: DashboardApp, pilot: Pilot[Any]) -> None:
    await pilot.press(Section.CUSTOMERS.key)
    await until(lambda: isinstance(app.screen, CustomersScreen))


async def open_page(app: DashboardApp, pilot: Pilot[Any], key: str) -> CustomerPage:
    await pilot.pause()
    app.go_to(ToCustomer(key=key))
    await until(lambda: isinstance(app.screen, CustomerPage) and app.screen.has_content)
    page = app.screen
    assert isinstance(page, CustomerPage)
    return page


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_described_customers_and_those_that_only_events_name_are_listed_apart(
    sampled: Appliance, size: tuple[int, int]
) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=size) as pilot:
            await open_section(app, pilot)
            await until(lambda: keys(app) == ["acme", "globex", "initech", "umbrella"])
            assert row(app, "acme", "#customers")[1] == "Acme Ltd."
            await pilot.press("u")
            await until(lambda: keys(app) == ["hooli", "stark", "tyrell", "wayne"])
            assert row(app, "hooli", "#customers")[1] == "518"

    asyncio.run(run())


def test_the_appliance_searches_and_what_is_typed_narrows_it_down(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: len(keys(app)) == 4)
            await pilot.press("slash", *"glob")
            await until(lambda: keys(app) == ["globex"])
            await pilot.press(*"zzz")
            await until(lambda: "none described with 'globzzz'" in shown(app, "#customers-words"))
            await pilot.press("escape")
            await until(lambda: len(keys(app)) == 4)
            assert app.screen.query_one(Input).value == ""
            await pilot.press("enter", "enter")
            await until(lambda: isinstance(app.screen, CustomerPage))

    asyncio.run(run())


def test_a_long_list_is_shown_page_by_page(fixed: Appliance) -> None:
    events = [{"id": f"{number}", "type": "call", "customer": f"c{number:03d}"} for number in range(150)]
    fixed.client.post("/v1/events", json=events).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: len(keys(app)) == 100)
            await pilot.press("f")
            await until(lambda: len(keys(app)) == 50)
            assert keys(app)[0] == "c100"
            await pilot.press("b")
            await until(lambda: keys(app)[0] == "c000")

    asyncio.run(run())


def test_hostile_names_are_shown_harmless(fixed: Appliance) -> None:
    body = {"key": "a[red]\x1b[31m", "name": "[bold]x\u202ey"}
    fixed.client.post("/v1/customers", json=body).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: keys(app) == ["a[red]\\x1b[31m"])
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, CustomerPage) and app.screen.has_content)
            assert "a[red]\\x1b[31m  [bold]x\\u202ey" in shown(app, "#customer-title")

    asyncio.run(run())


def test_without_customers_the_screen_says_what_comes_next_and_one_is_described(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: "No customers yet" in shown(app, "#state"))
            await pilot.press("n")
            await until(lambda: isinstance(app.screen, CustomerForm) and app.screen.focused is not None)
            fields = {field.field_name: field for field in app.screen.query(TextField)}
            fields["key"].value, fields["email"].value = "acme", "nowhere"
            fields["time_zone"].value = "Europe/Berlin"
            await pilot.press("ctrl+s")
            await until(lambda: "no e-mail address" in fields["email"].failure)
            fields["email"].value = "ops@acme.example"
            first = app.screen.query_one(PairsField).query(Input).first()
            first.focus()
            await pilot.press(*"plan", "tab", *"pro")
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, CustomersScreen))
            await until(lambda: keys(app) == ["acme"])

    asyncio.run(run())
    saved = fixed.client.get("/v1/customers/acme").json()
    assert (saved["email"], saved["time_zone"], saved["metadata"]) == (
        "ops@acme.example",
        "Europe/Berlin",
        {"plan": "pro"},
    )


def test_one_customer_has_this_month_against_the_same_part_of_the_month_before(fixed: Appliance) -> None:
    use(fixed)

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=WIDE) as pilot:
            await open_page(app, pilot, "acme")
            cells = row(app, "calls", "#customer-usage")
            assert cells[:4] == ["calls", "50", "40", "▲ 25 %"] or cells[:4] == ["calls", "50", "40", "▲ 25.0 %"]
            assert "nobody described it yet" in shown(app, "#customer-title")
            assert "no rate cards yet" in shown(app, "#customer-costs")
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, ExplorerScreen))
            await open_page(app, pilot, "acme")
            await pilot.press("v")
            await until(lambda: isinstance(app.screen, EventsScreen))

    asyncio.run(run())


def test_limits_and_fired_signals_stand_beside_the_usage(fixed: Appliance) -> None:
    use(fixed)
    signal = {
        "key": "cap", "meter": "calls", "scope": {"customer": "*"}, "period": "month",
        "condition": {"type": "threshold", "op": ">=", "value": 45},
    }  # fmt: skip
    fixed.client.post("/v1/signals", json=signal).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            page = await open_page(app, pilot, "acme")
            assert "▲ 0" in row(app, "calls", "#customer-usage")

            # Signals are measured once a second, and the page asks again every 15 s: r asks at once.
            await until(lambda: fixed.client.get("/v1/signals/fired").json()["items"] != [])
            page.reload()
            await until(lambda: row(app, "0", "#customer-fired")[1:3] == ["cap", "50"])

    asyncio.run(run())


def test_a_customer_that_only_events_name_is_described_and_forgotten_again(fixed: Appliance) -> None:
    use(fixed)

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_page(app, pilot, "acme")
            await pilot.press("e")
            await until(lambda: isinstance(app.screen, CustomerForm) and app.screen.focused is not None)
            await pilot.press(*"Acme")
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, CustomerPage) and "Acme" in shown(app, "#customer-title"))
            await pilot.press("d")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press("y")
            await until(lambda: "nobody described it yet" in shown(app, "#customer-title"))

    asyncio.run(run())
    assert fixed.client.get("/v1/customers/acme").status_code == 404


def test_a_statement_is_shown_by_month_and_written_to_files_that_verify(fixed: Appliance, tmp_path: Path) -> None:
    use(fixed)
    path = tmp_path / "out.json"

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=WIDE) as pilot:
            await open_page(app, pilot, "acme")
            await pilot.press("s")
            await until(lambda: isinstance(app.screen, StatementScreen))
            await until(lambda: row(app, "calls", "#statement-meters")[1] == "50")
            assert "not over yet" in shown(app, "#statement-title")
            await pilot.press("right")
            await pilot.press("left")
            await until(lambda: row(app, "calls", "#statement-meters")[1] == "49")
            assert "October 2026" in shown(app, "#statement-title")
            for is_there in (False, True):
                await pilot.press("w")
                await until(lambda: isinstance(app.screen, TextQuestion))
                app.screen.query_one(Input).value = str(path)
                await pilot.press("enter")
                if is_there:
                    await until(lambda: isinstance(app.screen, Confirmation))
                    await pilot.press("y")
                await until(lambda: isinstance(app.screen, StatementScreen))
                await until(lambda: "2 events" in shown(app, "#statement-done"))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, CustomerPage))

    asyncio.run(run())
    events = path.with_suffix(".jsonl")
    assert len(events.read_text().splitlines()) == 2
    assert [each.name for each in tmp_path.glob("*.partial")] == []
    assert main(["verify", "--statement", str(path), "--events", str(events)]) == 0


def test_the_month_before_ends_where_this_one_is_now_by_the_calendar_s_clock() -> None:
    zone = ZoneInfo("Europe/Berlin")
    months = months_at(datetime(2026, 11, 25, 10, tzinfo=UTC), zone)
    assert months.previous_end == datetime(2026, 10, 25, 11, tzinfo=zone)
    assert months.start == datetime(2026, 11, 1, tzinfo=zone)
    # 31 March has no day of its own in February: all of it.
    whole = months_at(datetime(2026, 3, 31, 10, tzinfo=UTC), zone)
    assert (whole.previous_start, whole.previous_end) == (datetime(2026, 2, 1, tzinfo=zone), whole.start)
