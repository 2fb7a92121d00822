"""Meters in the dashboard: looked at, made with a preview, changed, archived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.navigation import Section, ToMeter
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.meters.meter_page import MeterPage
from tallystick_tui.screens.meters.meters_screen import MetersScreen
from tallystick_tui.screens.meters.option_fields import option_fields, options_of
from tallystick_tui.widgets.form_field import FormField, TextField
from tallystick_tui.widgets.pairs_field import PairsField
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance
from tests.plugin_folder import write_plugin
from tests.server.test_http_plugins import OPTIONS

from .conftest import dashboard, notices, until

NARROW, WIDE = (80, 24), (160, 48)
EVENTS = [
    {
        "id": "1",
        "type": "call",
        "customer": "acme",
        "time": "2026-11-24T10:00:00Z",
        "properties": {"ms": 20, "to": "eu"},
    },
    {
        "id": "2",
        "type": "call",
        "customer": "zoe",
        "time": "2026-11-24T11:00:00Z",
        "properties": {"ms": 22.5, "to": "us"},
    },
    {"id": "3", "type": "call", "customer": "zoe", "time": "2026-11-24T12:00:00Z", "properties": {"ms": "slow"}},
]


def shown(app: DashboardApp, selector: str) -> str:
    """Return the text of a widget on the present screen."""
    return str(app.screen.query_one(selector, Static).render())


def row(app: DashboardApp, key: str, table: str = "#meters") -> list[str]:
    """Return the cells of a record, as many empty ones while it is not there."""
    there = app.screen.query_one(table, RecordTable)
    return [str(cell) for cell in there.get_row(key)] if key in there.rows else [""] * 9


async def type_in(pilot: Pilot[Any], text: str) -> None:
    for letter in text:
        await pilot.press({" ": "space", ".": "full_stop", "_": "underscore", "-": "minus"}.get(letter, letter))


async def open_section(app: DashboardApp, pilot: Pilot[Any]) -> None:
    await pilot.press(Section.METERS.key)
    await until(lambda: isinstance(app.screen, MetersScreen))


async def open_form(app: DashboardApp, pilot: Pilot[Any]) -> MeterForm:
    await pilot.press("n")
    await until(lambda: isinstance(app.screen, MeterForm))
    form = app.screen
    assert isinstance(form, MeterForm)
    await until(lambda: form.focused is not None)
    return form


def text_field(form: MeterForm, name: str) -> TextField:
    return next(field for field in form.query(TextField) if field.field_name == name)


async def fill_in(form: MeterForm, pilot: Pilot[Any], **texts: str) -> None:
    """Go to each field and type."""
    for name, text in texts.items():
        text_field(form, name).focus_control()
        await type_in(pilot, text)
        # What is suggested for the text is passed over, not taken.
        if getattr(text_field(form, name).line, "is_open", False):
            await pilot.press("escape")


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_each_meter_has_its_trend_and_the_figure_of_a_fortnight(sampled: Appliance, size: tuple[int, int]) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=size) as pilot:
            await open_section(app, pilot)
            await until(lambda: "1,611,840" in row(app, "tokens"))
            cells = row(app, "tokens")
            assert (cells[0], cells[-2], cells[-1]) == ("tokens", "token", "1")
            assert "sum of tokens" in cells
            assert len(cells[-4]) == 14
            assert len(set(cells[-4])) > 1

    asyncio.run(run())


def test_plain_mode_has_figures_in_place_of_a_trend(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled, is_plain=True)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: row(app, "requests")[2] == "288 288 141")

    asyncio.run(run())


def test_without_meters_the_screen_says_how_to_make_one(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: "n makes one" in shown(app, "#state"))
            await open_form(app, pilot)

    asyncio.run(run())


def test_the_cursor_goes_to_a_meter_that_was_just_defined(start_fixed: Callable[[], Appliance]) -> None:
    appliance = start_fixed()
    for key in ("alpha", "omega"):
        body = {"key": key, "event_type": "call", "aggregation": "count"}
        appliance.client.post("/v1/meters", json=body).raise_for_status()

    async def run() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=WIDE) as pilot:
            await open_section(app, pilot)
            await until(lambda: "omega" in row(app, "omega"))
            form = await open_form(app, pilot)
            await fill_in(form, pilot, key="middle", event_type="call")
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, MetersScreen))
            await until(lambda: app.screen.query_one(RecordTable).chosen == "middle")

    asyncio.run(run())


def test_a_new_meter_is_previewed_while_it_is_typed_and_covers_past_events_once_saved(fixed: Appliance) -> None:
    fixed.client.post("/v1/events", json=EVENTS).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=WIDE) as pilot:
            await open_section(app, pilot)
            await until(lambda: "n makes one" in shown(app, "#state"))
            form = await open_form(app, pilot)
            await fill_in(form, pilot, key="latency", event_type="call")
            await until(lambda: shown(app, "#preview-figure").startswith("3"))
            text_field(form, "field").focus_control()
            await type_in(pilot, "ms")
            await until(lambda: "properties.ms" in text_field(form, "field").query_one("SuggestedLine").known)  # type: ignore[attr-defined]
            await pilot.press("backspace", "s", "down", "enter")
            assert text_field(form, "field").value == "properties.ms"
            await until(lambda: shown(app, "#preview-figure").startswith("42.5"))
            assert "skips 1 of 3 events" in shown(app, "#preview-skipped")
            assert "properties.ms is 'slow', which is no number" in shown(app, "#preview-skipped")
            await fill_in(form, pilot, unit="ms")
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, MetersScreen))
            await until(lambda: "42.5" in row(app, "latency"))
            assert "latency: defined" in notices(app)

    asyncio.run(run())
    saved = fixed.client.get("/v1/meters/latency").json()
    assert (saved["event_type"], saved["aggregation"], saved["field"], saved["unit"]) == (
        "call",
        "sum",
        "properties.ms",
        "ms",
    )


def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: "n makes one" in shown(app, "#state"))
            form = await open_form(app, pilot)
            await pilot.press("ctrl+s")
            key = text_field(form, "key")
            assert key.failure == "is needed"
            await fill_in(form, pilot, key="a b", event_type="call", field="bogus")
            await pilot.press("ctrl+s")
            await until(lambda: key.failure != "")
            assert key.has_focus_within
            assert (key.value, text_field(form, "field").value) == ("a b", "bogus")
            key.value = "ab"
            await pilot.press("ctrl+s")
            await until(lambda: "is none of value, customer and properties.NAME" in text_field(form, "field").failure)
            assert key.failure == ""

    asyncio.run(run())


def test_a_lost_connection_keeps_the_form_and_saving_works_once_it_is_back(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: "n makes one" in shown(app, "#state"))
            form = await open_form(app, pilot)
            await fill_in(form, pilot, key="calls", event_type="call")
            await asyncio.to_thread(fixed.kill)
            await pilot.press("ctrl+s")
            await until(lambda: "not saved: cannot reach" in shown(app, "FailureLine"))
            await until(lambda: form.query_one("ConnectionBanner").display)
            await asyncio.to_thread(fixed.start)
            await until(lambda: not form.query_one("ConnectionBanner").display)
            # What failed meanwhile is no news any more, and the preview is asked for again.
            await until(lambda: "cannot reach" not in shown(app, "FailureLine"))
            await until(lambda: "cannot reach" not in shown(app, "#preview-figure"))
            assert text_field(form, "key").value == "calls"
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, MetersScreen))

    asyncio.run(run())
    assert fixed.client.get("/v1/meters/calls").status_code == 200


def test_leaving_a_changed_form_asks_and_an_unchanged_one_is_just_left(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: app.screen.query_one(RecordTable).row_count > 0)
            await open_form(app, pilot)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, MetersScreen))
            form = await open_form(app, pilot)
            await type_in(pilot, "x")
            for question in ("escape", "ctrl+q"):
                await pilot.press(question)
                await until(lambda: isinstance(app.screen, Confirmation))
                await pilot.press("n")
                await until(lambda: app.screen is form)
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press("y")
            await until(lambda: isinstance(app.screen, MetersScreen))

    asyncio.run(run())


def test_a_change_makes_a_version_and_clears_what_was_taken_out(fixed: Appliance) -> None:
    fixed.client.post("/v1/events", json=EVENTS).raise_for_status()
    body = {
        "key": "calls",
        "event_type": "call",
        "aggregation": "count",
        "filter": {"to": ["eu", "us"]},
        "unit": "call",
    }
    fixed.client.post("/v1/meters", json=body).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await until(lambda: app.screen.query_one(RecordTable).row_count > 0)
            await pilot.press("e")
            await until(lambda: isinstance(app.screen, MeterForm))
            form = app.screen
            assert isinstance(form, MeterForm)
            await until(lambda: shown(app, "#preview-figure").startswith("2 call"))
            assert form.query_one(PairsField).value == {"to": "eu, us"}
            await pilot.click(form.query_one(PairsField).query("Button").first())
            await until(lambda: shown(app, "#preview-figure").startswith("3 call"))
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, MetersScreen))
            await until(lambda: row(app, "calls")[-1] == "2")

    asyncio.run(run())
    saved = fixed.client.get("/v1/meters/calls").json()
    assert (saved["filter"], saved["unit"], saved["version"]) == ({}, "call", 2)


def test_a_plugins_options_are_a_form_made_from_their_schema(
    start_fixed: Callable[..., Appliance], tmp_path: Path
) -> None:
    write_plugin(tmp_path / "plugins", "share_of", OPTIONS)
    appliance = start_fixed(plugins_dir=tmp_path / "plugins")
    appliance.client.post("/v1/events", json=EVENTS).raise_for_status()

    async def run() -> None:
        app = dashboard(appliance)
        async with app.run_test(size=WIDE) as pilot:
            await open_section(app, pilot)
            await until(lambda: "n makes one" in shown(app, "#state"))
            form = await open_form(app, pilot)
            await fill_in(form, pilot, key="half", event_type="call")
            choice = form.field("aggregation")
            assert choice is not None
            choice.focus_control()
            await pilot.press("enter")
            await type_in(pilot, "share")
            await pilot.press("enter")
            await until(lambda: form.field("options.share") is not None)
            option = text_field(form, "options.share")
            assert (option.is_required, option.hint) == (True, "what part of it")
            assert text_field(form, "options.kind").line.placeholder == "plain if left empty"
            await fill_in(form, pilot, **{"options.share": "half"})
            await pilot.press("ctrl+s")
            await until(lambda: "Invalid decimal string" in option.failure)
            option.value = "0.5"
            await until(lambda: shown(app, "#preview-figure").startswith("1.5"))
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, MetersScreen))

    asyncio.run(run())
    assert appliance.client.get("/v1/meters/half").json()["options"] == {"share": "0.5"}


def test_enter_opens_a_meter_with_its_graph_customers_versions_and_skipped_events(fixed: Appliance) -> None:
    fixed.client.post("/v1/events", json=EVENTS).raise_for_status()
    body = {"key": "latency", "event_type": "call", "aggregation": "max", "field": "properties.ms", "unit": "ms"}
    fixed.client.post("/v1/meters", json=body).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=WIDE) as pilot:
            await open_section(app, pilot)
            await until(lambda: app.screen.query_one(RecordTable).row_count > 0)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, MeterPage) and app.screen.has_content)
            assert shown(app, "#meter-figure").startswith("22.5 ms")
            assert row(app, "zoe", "#meter-customers") == ["zoe", "22.5", "1"]
            assert row(app, "1", "#meter-versions")[-1] == "max of ms of each call"
            assert row(app, "0", "#meter-skipped")[1:] == ["zoe", "properties.ms is 'slow', which is no number"]
            await pilot.press("t")
            await until(lambda: "90 days" in shown(app, "#meter-figure"))
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, MetersScreen))

    asyncio.run(run())


def test_a_meter_can_be_opened_from_elsewhere_and_goes_on_to_the_explorer(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.pause()
            app.go_to(ToMeter(key="users"))
            await until(lambda: isinstance(app.screen, MeterPage) and app.screen.has_content)
            assert shown(app, "#meter-title").startswith("users")
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, ExplorerScreen))

    asyncio.run(run())


def test_a_meter_is_archived_after_a_question_and_taken_back(fixed: Appliance) -> None:
    for key in ("one", "two"):
        fixed.client.post(
            "/v1/meters", json={"key": key, "event_type": "call", "aggregation": "count"}
        ).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            table = app.screen.query_one(RecordTable)
            await until(lambda: table.row_count == 2)
            await pilot.press("d")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press("y")
            await until(lambda: table.row_count == 1)
            await pilot.press("a")
            await until(lambda: table.row_count == 2)
            assert row(app, "one")[0] == "one (archived)"
            await pilot.press("up", "d")
            await until(lambda: row(app, "one")[0] == "one")

    asyncio.run(run())
    assert fixed.client.get("/v1/meters/one").json()["archived_at"] is None


def test_every_kind_of_option_has_a_field_and_comes_back_as_it_is() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "share": {"type": "number"},
            "exact": {"type": ["number", "string"], "format": "decimal"},
            "mode": {"enum": ["a", "b"]},
            "is_on": {"type": "boolean", "default": True},
            "names": {"type": "array", "items": {"type": "string"}},
            "left_out": {"type": "string"},
        },
        "required": ["mode"],
    }
    present = {"count": 3, "share": 0.25, "exact": "1.50", "mode": "b", "names": ["x", "y"]}
    fields: list[FormField] = []

    class Form(App[None]):
        def compose(self) -> ComposeResult:
            fields.extend(option_fields(schema, present))
            yield from fields

    async def run() -> dict[str, object]:
        async with Form().run_test():
            return options_of(fields, schema)

    found = msgspec.json.decode(msgspec.json.encode(asyncio.run(run())))
    assert fields[0].field_name == "options.mode"
    assert found == present | {"is_on": True}


def test_a_name_that_would_steer_the_terminal_is_shown_by_its_codes(fixed: Appliance) -> None:
    hostile = "\x1b]0;pwn\x07\x1b[31mred"
    fixed.client.post(
        "/v1/meters", json={"key": "ms", "event_type": "call", "aggregation": "sum", "field": "properties.ms"}
    )
    event = {"type": "call", "customer": hostile, "time": "2026-11-25T08:00:00Z"}
    events = [event | {"id": f"{ms}", "properties": {"ms": ms}} for ms in ("slow", 5)]
    fixed.client.post("/v1/events", json=events).raise_for_status()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=WIDE) as pilot:
            app.go_to(ToMeter(key="ms"))
            await until(lambda: isinstance(app.screen, MeterPage) and app.screen.has_content)
            for key, words in (("c", "pwn"), ("s", "slow")):
                await pilot.press(key)
                await until(lambda words=words: words in app.export_screenshot())
                lines = app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage] - what the terminal gets
                assert not [strip.text for strip in lines if "\x1b" in strip.text or "\x07" in strip.text]
            assert "is 'slow', which is no number" in shown(app, "#meter-why")

    asyncio.run(run())
