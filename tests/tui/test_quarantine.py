"""Quarantine in the dashboard: refused events looked at, corrected one by one and many at once, discarded."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.quarantine import Entry
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.navigation import Section
from tallystick_tui.screens.quarantine.correction import (
    CannotCorrect,
    Correction,
    Kind,
    corrected,
    fault_of,
    named_field,
    usual_correction,
)
from tallystick_tui.screens.quarantine.correction_form import CorrectionForm
from tallystick_tui.screens.quarantine.entry_form import EntryForm, EventField
from tallystick_tui.screens.quarantine.outcomes_screen import OutcomesScreen
from tallystick_tui.screens.quarantine.quarantine_screen import QuarantineScreen
from tallystick_tui.widgets.choice_field import ChoiceField
from tallystick_tui.widgets.form_field import TextField
from tallystick_tui.widgets.record_table import RecordTable
from tests.appliance import Appliance

from .conftest import dashboard, until

NARROW, WIDE = (80, 24), (160, 48)
AT = "2026-11-25T08:00:00Z"
RECEIVED_AT = "2026-11-25T09:30:00Z"


def refuse(appliance: Appliance, *events: dict[str, Any]) -> None:
    """Send events one by one, each of which is refused."""
    for event in events:
        assert appliance.client.post("/v1/events", json=[event]).status_code == 422


def shown(app: DashboardApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).render())


def table(app: DashboardApp, selector: str = "#entries") -> list[list[str]]:
    there = app.screen.query_one(selector, RecordTable)
    return [[str(cell) for cell in there.get_row_at(number)] for number in range(there.row_count)]


async def open_section(app: DashboardApp, pilot: Pilot[Any]) -> None:
    await pilot.press(Section.QUARANTINE.key)
    await until(lambda: isinstance(app.screen, QuarantineScreen) and app.screen.has_content)


def event_of(appliance: Appliance, name: str) -> dict[str, Any]:
    return appliance.client.get("/v1/events/by-id", params={"id": name}).json()


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_refused_events_are_listed_by_reason_newest_first(sampled: Appliance, size: tuple[int, int]) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=size) as pilot:
            await open_section(app, pilot)
            reasons = {cells[0]: cells[1] for cells in table(app, "#reasons")}
            assert reasons["every reason"] == "5"
            assert reasons["conflict"] == reasons["time_in_future"] == "1"
            assert [cells[2] for cells in table(app)] == ["acme-0-0", "bad-4", "bad-3", "bad-2", "bad-1"]
            await pilot.press("shift+tab", "down")
            await until(lambda: len(table(app)) == 1)
            assert shown(app, "#quarantine-words").startswith("1 of ")

    asyncio.run(run())


def test_an_empty_quarantine_says_so(fixed: Appliance) -> None:
    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press(Section.QUARANTINE.key)
            await until(lambda: isinstance(app.screen, QuarantineScreen))
            await until(lambda: "Quarantine is empty" in shown(app, "#state"))

    asyncio.run(run())


def test_what_was_wrong_is_marked_beside_the_list(sampled: Appliance) -> None:
    async def run() -> None:
        app = dashboard(sampled)
        async with app.run_test(size=WIDE) as pilot:
            await open_section(app, pilot)
            await until(lambda: '>   "id": "acme-0-0"' in shown(app, "#event"))
            await pilot.press("down")
            await until(lambda: '>   "time": "2027-01-01T00:00:00Z"' in shown(app, "#event"))

    asyncio.run(run())


def test_one_event_is_corrected_in_the_editor_and_counted(fixed: Appliance) -> None:
    refuse(fixed, {"id": "a", "type": "call", "customer": "acme", "time": "yesterday"})

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, EntryForm))
            field = app.screen.query_one(EventField)
            await until(lambda: field.editor.selected_text == "yesterday")
            await pilot.press("quotation_mark")
            await until(lambda: "no JSON yet" in shown(app, "#entry-check"))
            await pilot.press("ctrl+s", "backspace", *"tomorrow")
            await until(lambda: "JSON of one event" in shown(app, "#entry-check"))
            await pilot.press("ctrl+s")
            await until(lambda: "'tomorrow' is not an RFC 3339 time" in field.failure)
            field.editor.text = field.value.replace("tomorrow", AT)
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, QuarantineScreen))
            await until(lambda: "Quarantine is empty" in shown(app, "#state"))

    asyncio.run(run())
    assert event_of(fixed, "a")["time"] == AT


def test_a_lost_connection_keeps_the_corrected_text(fixed: Appliance) -> None:
    refuse(fixed, {"id": "a", "type": "call", "time": AT})

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, EntryForm))
            field = app.screen.query_one(EventField)
            await pilot.press("ctrl+o")
            await until(lambda: '"customer": ""' in field.value)
            # The cursor is where the customer is to be typed.
            await pilot.press(*"zoe")
            await until(lambda: '"customer": "zoe"' in field.value)
            await asyncio.to_thread(fixed.kill)
            await pilot.press("ctrl+s")
            await until(lambda: "not sent: cannot reach" in shown(app, "FailureLine"))
            await asyncio.to_thread(fixed.start)
            assert '"zoe"' in field.value
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, QuarantineScreen))

    asyncio.run(run())
    assert event_of(fixed, "a")["customer"] == "zoe"


def test_all_events_without_a_customer_get_one_at_once_and_each_says_what_became_of_it(fixed: Appliance) -> None:
    fixed.client.post(
        "/v1/events", json={"id": "n-1", "type": "call", "customer": "zoe", "time": AT}
    ).raise_for_status()
    refuse(fixed, *({"id": f"n-{number}", "type": "call", "time": AT} for number in range(3)))
    refuse(fixed, {"id": "other", "type": "call", "customer": "acme", "time": "yesterday"})

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=WIDE) as pilot:
            await open_section(app, pilot)
            await pilot.press("shift+tab", "down")
            await until(lambda: len(table(app)) == 3)
            await pilot.press("tab", "a")
            await until(lambda: "3 marked" in shown(app, "#quarantine-words"))
            await pilot.press("c")
            await until(lambda: isinstance(app.screen, CorrectionForm))
            form = app.screen
            assert form.query_one(ChoiceField).value == Kind.SET
            texts = {field.field_name: field for field in form.query(TextField)}
            await until(lambda: texts["field"].value == "customer" and texts["value"].display)
            texts["value"].value = "acme"
            await until(lambda: '"customer":"acme"' in shown(app, "#correction-words"))
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, OutcomesScreen))
            results = {cells[0]: cells[1:] for cells in table(app, "#outcomes")}
            assert sorted(cells[0] for cells in results.values()) == ["!", "✓", "✓"]
            assert any(cells[1].startswith("conflict: ") for cells in results.values())
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, QuarantineScreen))
            await until(lambda: {row[0]: row[1] for row in table(app, "#reasons")}["every reason"] == "3")
            # The one refused again stays as it was sent, and its correction is kept with the reason of its own.
            assert {row[0]: row[1] for row in table(app, "#reasons")}["conflict"] == "1"

    asyncio.run(run())
    assert (event_of(fixed, "n-0")["customer"], event_of(fixed, "n-2")["customer"]) == ("acme", "acme")


def test_a_conflict_is_counted_under_a_new_id(fixed: Appliance) -> None:
    fixed.client.post("/v1/events", json={"id": "a", "type": "call", "customer": "zoe", "time": AT}).raise_for_status()
    refuse(fixed, {"id": "a", "type": "call", "customer": "zoe", "time": AT, "value": 2})

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await pilot.press("space", "c")
            await until(lambda: isinstance(app.screen, CorrectionForm))
            await until(lambda: '"id":"a-2"' in shown(app, "#correction-words"))
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, OutcomesScreen))

    asyncio.run(run())
    assert event_of(fixed, "a-2")["value"] == 2


def test_a_correction_that_lacks_something_is_not_sent_and_stays_open(fixed: Appliance) -> None:
    refuse(fixed, *({"id": f"n-{number}", "type": "call", "time": AT} for number in range(2)))

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await pilot.press("a", "c")
            await until(lambda: isinstance(app.screen, CorrectionForm) and len(app.screen.query(TextField)) == 2)
            form = app.screen
            assert isinstance(form, CorrectionForm)
            await until(lambda: form.query_one(ChoiceField).has_focus_within)
            assert not form.is_changed
            await pilot.press("ctrl+s")
            await until(lambda: any("is needed" in str(each.render()) for each in form.query(Static)))
            assert app.screen is form

    asyncio.run(run())
    assert len(fixed.client.get("/v1/quarantine").json()["items"]) == 2


def test_an_event_that_takes_the_time_of_its_arrival_counts_when_it_came_first(fixed: Appliance) -> None:
    refuse(fixed, {"id": "late", "type": "call", "customer": "zoe", "time": "yesterday"})
    (entry,) = fixed.client.get("/v1/quarantine").json()["items"]

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, EntryForm) and "ctrl+o" in app.screen.active_bindings)
            await until(lambda: len(app.screen.query(EventField)) == 1)
            await pilot.press("ctrl+o")
            await until(lambda: entry["received_at"] in app.screen.query_one(EventField).value)
            await pilot.press("ctrl+s")
            await until(lambda: isinstance(app.screen, QuarantineScreen))

    asyncio.run(run())
    assert event_of(fixed, "late")["time"] == entry["received_at"]


def test_a_field_that_no_event_has_is_dropped_by_the_usual_fix() -> None:
    said = "'kunde' is no field of an event; put what is your own in properties"
    assert usual_correction("unknown_field", said) == Correction(Kind.DROP, "kunde")


def test_events_are_discarded_after_a_question(fixed: Appliance) -> None:
    refuse(fixed, *({"id": f"n-{number}", "type": "call", "time": AT} for number in range(3)))

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await open_section(app, pilot)
            await pilot.press("space", "space", "d")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press("n")
            await until(lambda: isinstance(app.screen, QuarantineScreen))
            assert len(table(app)) == 3
            await pilot.press("d")
            await until(lambda: isinstance(app.screen, Confirmation))
            await pilot.press("y")
            await until(lambda: len(table(app)) == 1)

    asyncio.run(run())
    assert ["n-0" in each["raw"] for each in fixed.client.get("/v1/quarantine").json()["items"]] == [True]


PLAIN = '{"id":"a","type":"t","value":1.50,"properties":{"x":1e2,"y":[1]},"time":"2026-11-25T08:00:00+02:00"}'


@pytest.mark.parametrize(
    ("correction", "expected"),
    [
        (Correction(Kind.NEW_ID, value="-x"), PLAIN.replace('"a"', '"a-x"')),
        (Correction(Kind.ARRIVAL_TIME), PLAIN.replace("2026-11-25T08:00:00+02:00", RECEIVED_AT)),
        (Correction(Kind.SHIFT_TIME, value="-90min"), PLAIN.replace("08:00:00+02:00", "04:30:00Z")),
        (Correction(Kind.SET, "value", "2.50"), PLAIN.replace("1.50", "2.50")),
        (Correction(Kind.SET, "customer", "acme corp"), PLAIN.replace('+02:00"}', '+02:00","customer":"acme corp"}')),
        (Correction(Kind.SET, "properties.y", '"z"'), PLAIN.replace("[1]", '"z"')),
        (Correction(Kind.DROP, "properties.y"), PLAIN.replace(',"y":[1]', "")),
        (Correction(Kind.DROP, "id"), PLAIN.replace('"id":"a",', "")),
        (Correction(Kind.AS_IT_IS), PLAIN),
    ],
)  # fmt: skip
def test_a_correction_changes_what_it_is_about_and_no_digit_more(correction: Correction, expected: str) -> None:
    assert corrected(PLAIN, correction, received_at=RECEIVED_AT) == expected


@pytest.mark.parametrize(
    ("text", "correction", "words"),
    [
        ("[1]", Correction(Kind.DROP, "id"), "no JSON object"),
        ("{", Correction(Kind.ARRIVAL_TIME), "no JSON object"),
        ("{}", Correction(Kind.NEW_ID, value="-2"), "no id"),
        ('{"id":"a"}', Correction(Kind.NEW_ID), "behind the id"),
        ('{"time":"soon"}', Correction(Kind.SHIFT_TIME, value="-1h"), "cannot be read"),
        ('{"time":true}', Correction(Kind.SHIFT_TIME, value="-1h"), "no time"),
        ('{"time":1}', Correction(Kind.SHIFT_TIME, value="a bit"), "by how much"),
        ("{}", Correction(Kind.SET, "", "x"), "which field"),
        ("{}", Correction(Kind.SET, "customer", " "), "to what"),
        ('{"properties":[]}', Correction(Kind.DROP, "properties.x"), "no object"),
        ("{}", Correction(Kind.DROP, "properties.x"), "has no properties.x"),
    ],
)
def test_a_correction_that_cannot_be_applied_says_why(text: str, correction: Correction, words: str) -> None:
    with pytest.raises(CannotCorrect, match=words):
        corrected(text, correction, received_at=RECEIVED_AT)


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**25), max_value=10**25),
    milliseconds=st.integers(0, 4_102_444_800_000),
    hours=st.integers(-10_000, 10_000),
)
def test_shifting_there_and_back_is_nothing(value: Decimal, milliseconds: int, hours: int) -> None:
    text = f'{{"value":{value:f},"time":{milliseconds}}}'
    there = corrected(text, Correction(Kind.SHIFT_TIME, value=f"{hours}h"), received_at=RECEIVED_AT)
    assert corrected(there, Correction(Kind.SHIFT_TIME, value=f"{-hours}h"), received_at=RECEIVED_AT) == text


@given(moment=st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - without a zone, as some send it
def test_a_time_without_a_zone_becomes_utc(moment: datetime) -> None:
    after = msgspec.json.decode(
        corrected(
            f'{{"time":"{moment.isoformat()}"}}', Correction(Kind.SHIFT_TIME, value="0s"), received_at=RECEIVED_AT
        )
    )
    assert datetime.fromisoformat(after["time"]).replace(tzinfo=None) == moment
    assert after["time"].endswith("Z")


def test_the_usual_correction_fits_the_reason() -> None:
    assert usual_correction("conflict", "the event at position 3 has …") == Correction(Kind.NEW_ID, "", "-2")
    assert usual_correction("missing_customer", "customer: is required") == Correction(Kind.SET, "customer")
    assert usual_correction("time_in_future", "time: 2027 …").kind is Kind.ARRIVAL_TIME
    assert usual_correction("nested_property", "properties.a.b: is an object") == Correction(
        Kind.DROP, "properties.a.b"
    )
    assert named_field("no field here") == ""


def test_a_text_is_checked_as_an_event() -> None:
    assert fault_of('{"a":1}') == ""
    assert "an object" in fault_of("[]")
    assert "no JSON yet" in fault_of('{"a":')
    assert fault_of("[" * 100_000) != ""


def test_an_event_in_message_pack_is_edited_as_json_and_cut_bytes_are_shown() -> None:
    def entry(raw: bytes) -> Entry:
        import base64  # noqa: PLC0415 - beside its only use

        encoded = base64.b64encode(raw).decode()
        return Entry(
            id="1-0", received_at=AT, code="invalid_id", detail="", content_type="application/msgpack", raw=None,
            raw_base64=encoded, times_seen=1,
        )  # fmt: skip

    assert entry(msgspec.msgpack.encode({"id": 7, "type": "x"})).text == '{"id":7,"type":"x"}'
    assert entry(b"\xc1\xff").text == "\\xc1\\xff"
