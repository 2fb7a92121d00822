"""Ranges as people type them, rows of events, and the bounded list of what lands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_tui.connection.failure import Misunderstood
from tallystick_tui.screens.events.event import Event, event_json, event_record, layout_of
from tallystick_tui.screens.events.tail import ROWS_MAX, Missed, Tail, landing, merged
from tallystick_tui.screens.events.time_range import Unreadable, range_of
from tallystick_tui.texts.harmless import cut, harmless

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def event(position: int = 1, **fields: object) -> Event:
    sent: dict[str, object] = {
        "source": "s",
        "id": f"e{position}",
        "type": "call",
        "customer": "acme",
        "time": "2026-11-25T09:59:00.123Z",
        "value": 1,
        "properties": {},
        "position": position,
        "received_at": "2026-11-25T10:00:00Z",
        "state": "counted",
    }
    return msgspec.json.decode(msgspec.json.encode(sent | fields), type=Event)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("", None, None),
        ("today", "2026-11-24T23:00", None),
        ("Yesterday", "2026-11-23T23:00", "2026-11-24T23:00"),
        ("24h", "2026-11-24T10:00", None),
        ("-7d", "2026-11-18T10:00", None),
        ("30 min", "2026-11-25T09:30", None),
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("2026-11-01 10:00", "2026-11-01T09:00", None),
        ("2026-11-01 .. 2026-11-02", "2026-10-31T23:00", "2026-11-01T23:00"),
        ("10:00..11:30", "2026-11-25T09:00", "2026-11-25T10:30"),
        (".. now", None, "2026-11-25T10:00"),
        ("2026-11-01T10:00:30..", "2026-11-01T09:00:30", None),
    ],
)
def test_a_range_is_read_in_the_viewers_zone(text: str, start: str | None, end: str | None) -> None:
    expected = tuple(
        None if each is None else datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, end)
    )
    assert range_of(text, now=NOW, zone=BERLIN) == expected


@pytest.mark.parametrize("text", ["last week", "2026-13-01", "11:00 .. 10:00", "25:00..", "7x", "99999999999d"])
def test_what_is_no_range_is_said_in_words(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        range_of(text, now=NOW, zone=BERLIN)
    assert str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_range_or_is_refused(text: str) -> None:
    try:
        range_of(text, now=NOW, zone=BERLIN)
    except Unreadable:
        return


@given(st.text(max_size=80), st.integers(2, 40))
def test_text_of_strangers_fits_and_holds_no_control_characters(text: str, cells: int) -> None:
    shown = cut(text, cells)
    assert len(shown) <= cells
    assert all(char.isprintable() or char.isspace() for char in harmless(text))
    assert "\x1b" not in shown


def test_a_row_says_that_an_event_is_voided_without_colour() -> None:
    cells = event_record(event(state="voided", value=1234.5), BERLIN).cells
    assert [str(cell) for cell in cells] == ["✗", "2026-11-25 10:59:00", "acme", "call", "1,234.5", "e1"]


def test_numbers_are_copied_digit_by_digit() -> None:
    text = '{"source":"","id":"x","type":"t","customer":"c","time":"2026-11-25T09:59:00Z","value":12345678901234567890.123456789012,'
    text += '"properties":{"n":0.1,"s":"0.10"},"position":9,"received_at":"2026-11-25T10:00:00Z","state":"counted"}'
    copied = event_json(msgspec.json.decode(text, type=Event))
    assert '"value": 12345678901234567890.123456789012' in copied
    assert '"n": 0.1' in copied
    assert '"s": "0.10"' in copied


def test_a_tail_is_bounded_and_counts_what_it_does_not_keep() -> None:
    tail = Tail()
    tail.begin(0.0)
    for number in range(5_000):
        tail.add(event(number), number / 1_000)
        tail.miss(9, number / 1_000)
    assert len(tail.events) == ROWS_MAX
    assert tail.events[0].position == 4_999
    assert tail.landed == 50_000
    assert tail.is_sampled(5.0)
    assert tail.per_s(5.0) == pytest.approx(10_000, rel=0.3)
    assert tail.per_s(60.0) == 0
    assert not tail.is_sampled(60.0)


def lines(*texts: str) -> AsyncIterator[str]:
    async def stream() -> AsyncIterator[str]:
        for text in texts:
            yield text

    return stream()


def received(*texts: str) -> list[Event | Missed | None]:
    async def run() -> list[Event | Missed | None]:
        return [each async for each in landing(lines(*texts))]

    return asyncio.run(run())


def test_a_stream_is_read_event_by_event() -> None:
    body = msgspec.json.encode(event(7)).decode()
    found = received(
        "",
        "retry: 2000",
        "",
        "id: 7",
        "event: event",
        f"data: {body}",
        "",
        ": still here",
        "event: missed",
        'data: {"missed":4}',
    )
    assert found[0] is None
    assert isinstance(found[1], Event)
    assert found[1].position == 7
    assert found[2:] == [Missed(4)]


def test_a_stream_of_something_else_is_told_apart() -> None:
    with pytest.raises(Misunderstood):
        received("", "event: event", "data: {}")


@given(st.lists(st.integers(1, 30), unique=True), st.lists(st.integers(1, 30), unique=True))
def test_what_landed_and_what_was_listed_are_one_list_without_doubles(
    landed: Sequence[int], listed: Sequence[int]
) -> None:
    found = merged([event(number) for number in landed], [event(number) for number in listed], 100)
    positions = [each.position for each in found]
    assert positions[: len(landed)] == list(landed)
    assert set(positions) == set(landed) | set(listed)
    assert len(positions) == len(set(positions))


@pytest.mark.parametrize("cells", range(78, 202))
def test_the_columns_of_a_list_fit_into_its_width(cells: int) -> None:
    columns = layout_of(cells).columns
    scroll_bar = 2
    assert sum((column.width or 0) + 2 for column in columns) + scroll_bar <= max(cells, 79)
    record = event_record(
        event(id="x" * 200, customer="c" * 200, properties={"p": "y" * 300}), BERLIN, layout_of(cells)
    )
    assert all(len(str(cell)) <= (column.width or 0) for cell, column in zip(record.cells, columns, strict=True))
