"""Windows follow the local calendar, whatever a zone's clock does."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import InvalidQuestion
from tallystick.instant import (
    EARLIEST,
    LATEST,
    NS_PER_DAY,
    NS_PER_HOUR,
    NS_PER_S,
    Instant,
    format_instant,
    parse_instant,
)
from tallystick.usage.local_calendar import STRETCH_SAMPLE_NS, LocalCalendar, zone_names
from tallystick.usage.question import WindowSize
from tallystick.usage.windows import cut_windows

NS_PER_MINUTE = 60 * NS_PER_S
ODD_ZONES = [
    "Africa/Cairo",  # midnight skipped in spring
    "Africa/Casablanca",  # summer time but for Ramadan
    "Africa/Monrovia",  # 44 minutes 30 seconds behind until 1972
    "America/Havana",  # midnight comes twice
    "America/Sao_Paulo",  # midnight skipped
    "America/St_Johns",  # half-hour zone, moved at 00:01 over midnight
    "Antarctica/Troll",  # moved by two hours
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",  # moved by half an hour
    "Europe/Berlin",
    "Pacific/Apia",  # left out 2011-12-30
    "Pacific/Chatham",  # 12:45 ahead
    "Pacific/Kwajalein",  # left out 1993-08-21
]


@cache
def zone_of(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file)


def local(instant: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant // NS_PER_S)).astimezone(zone_of(zone))


def cut(start: str, end: str, size: WindowSize, zone: str = "UTC") -> list[Instant]:
    return cut_windows(parse_instant(start), parse_instant(end), size, zone).instants()


def shown(edges: list[Instant]) -> list[str]:
    return [format_instant(edge) for edge in edges]


def hours(edges: list[Instant]) -> list[float]:
    return [(end - start) / NS_PER_HOUR for start, end in pairwise(edges)]


def test_days_in_berlin_have_23_and_25_hours_when_the_clock_is_moved() -> None:
    assert hours(cut("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", WindowSize.DAY, "Europe/Berlin")) == [24, 23, 24]
    assert hours(cut("2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", WindowSize.DAY, "Europe/Berlin")) == [24, 25, 24]


def test_the_hour_that_comes_twice_is_two_windows() -> None:
    edges = cut("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", WindowSize.HOUR, "Europe/Berlin")
    assert len(edges) - 1 == 25
    assert [local(edge, "Europe/Berlin").hour for edge in edges[:5]] == [0, 1, 2, 2, 3]


def test_the_hour_that_is_left_out_has_no_window() -> None:
    edges = cut("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", WindowSize.HOUR, "Europe/Berlin")
    assert [local(edge, "Europe/Berlin").hour for edge in edges[:4]] == [0, 1, 3, 4]


@pytest.mark.parametrize(
    ("zone", "minute"), [("Asia/Kolkata", "30"), ("Asia/Kathmandu", "15"), ("Pacific/Chatham", "15")]
)
def test_hours_begin_on_the_full_hour_of_the_local_clock(zone: str, minute: str) -> None:
    edges = cut("2026-07-01T00:00:00Z", "2026-07-01T03:00:00Z", WindowSize.HOUR, zone)
    assert shown(edges)[1:-1] == [f"2026-07-01T0{hour}:{minute}:00Z" for hour in range(3)]


def test_where_the_clock_moves_by_half_an_hour_a_window_is_half_an_hour() -> None:
    edges = cut("2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z", WindowSize.HOUR, "Australia/Lord_Howe")
    assert hours(edges) == [1, 0.5, 1]
    assert [f"{local(edge, 'Australia/Lord_Howe'):%H:%M}" for edge in edges] == ["01:00", "01:30", "02:00", "03:00"]


def test_a_day_whose_midnight_is_skipped_begins_when_the_clock_is_moved() -> None:
    edges = cut("2018-11-03T03:00:00Z", "2018-11-05T02:00:00Z", WindowSize.DAY, "America/Sao_Paulo")
    assert shown(edges) == ["2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]
    assert f"{local(edges[1], 'America/Sao_Paulo'):%d %H:%M}" == "04 01:00"


def test_a_day_whose_midnight_comes_twice_begins_with_the_first() -> None:
    edges = cut("2025-11-01T04:00:00Z", "2025-11-03T05:00:00Z", WindowSize.DAY, "America/Havana")
    assert shown(edges) == ["2025-11-01T04:00:00Z", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"]


def test_a_date_that_was_left_out_has_no_window() -> None:
    days = cut("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", WindowSize.DAY, "Pacific/Apia")
    assert shown(days) == ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"]
    assert [local(day, "Pacific/Apia").day for day in days] == [29, 31, 1]
    assert len(cut("2011-12-01T10:00:00Z", "2012-01-30T10:00:00Z", WindowSize.DAY, "Pacific/Apia")) - 1 == 60
    assert hours(cut("2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z", WindowSize.WEEK, "Pacific/Apia")) == [6 * 24]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert shown(cut("2026-10-28T00:00:00Z", "2026-11-10T00:00:00Z", WindowSize.WEEK)) == [
        "2026-10-28T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-09T00:00:00Z", "2026-11-10T00:00:00Z",
    ]  # fmt: skip
    assert shown(cut("2026-01-31T23:30:00Z", "2026-04-01T00:00:00Z", WindowSize.MONTH, "Europe/Berlin")) == [
        "2026-01-31T23:30:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", "2026-04-01T00:00:00Z",
    ]  # fmt: skip


def test_windows_are_cut_by_the_range_to_the_nanosecond() -> None:
    edges = cut("2026-11-01T10:00:30.000000001Z", "2026-11-01T10:02:00.000000001Z", WindowSize.MINUTE)
    assert shown(edges) == [
        "2026-11-01T10:00:30.000000001Z", "2026-11-01T10:01:00Z", "2026-11-01T10:02:00Z", "2026-11-01T10:02:00.000000001Z",
    ]  # fmt: skip


def test_the_total_is_one_window_and_an_empty_range_has_none() -> None:
    assert len(cut("1970-01-01T00:00:00Z", "2261-12-31T00:00:00Z", WindowSize.TOTAL)) - 1 == 1
    assert cut("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", WindowSize.DAY) == []


def test_all_of_time_can_be_cut_into_months() -> None:
    # In Newfoundland the range begins in December 1969; in Samoa, which has changed sides since, it ends in January 2262 as well.
    for zone, cut_months in (("UTC", 0), ("America/St_Johns", 1), ("Pacific/Apia", 2)):
        assert len(cut_windows(EARLIEST, LATEST, WindowSize.MONTH, zone)) == 292 * 12 + cut_months


@pytest.mark.parametrize("size", [WindowSize.MINUTE, WindowSize.HOUR])
def test_too_many_windows_are_refused_before_any_is_built(size: WindowSize) -> None:
    with pytest.raises(InvalidQuestion, match="ask for a longer window or a shorter range") as refused:
        cut_windows(EARLIEST, LATEST, size, "Europe/Berlin")
    assert refused.value.parameter == "window"


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "europe/berlin",
        "localtime",
        "right/UTC",
        "posix/UTC",
        "../../etc/passwd",
        "Europe",
        "a\0b",
        "\ud800",
        "UTC ",
    ],
)
def test_a_name_that_is_no_iana_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidQuestion) as refused:
        cut_windows(Instant(0), Instant(1), WindowSize.DAY, zone)
    assert refused.value.parameter == "timezone"


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "EST"]
)
def test_every_iana_name_is_a_zone(zone: str) -> None:
    assert len(cut_windows(Instant(0), Instant(1), WindowSize.DAY, zone)) == 1


zones = st.sampled_from(ODD_ZONES) | st.sampled_from(sorted(zone_names()))


@settings(max_examples=150, deadline=None)
@given(zone=zones, start=st.integers(EARLIEST, LATEST - 500 * NS_PER_DAY), length=st.integers(1, 400 * NS_PER_DAY))
def test_a_day_window_begins_when_its_date_first_shows_and_dates_only_grow(zone: str, start: int, length: int) -> None:
    edges = cut_windows(Instant(start), Instant(start + length), WindowSize.DAY, zone).instants()
    assert edges[0] == start
    assert edges[-1] == start + length
    for edge, next_edge in pairwise(edges[1:-1]):
        assert local(edge - 1, zone).date() < local(edge, zone).date()
        # Below only where a clock went back over midnight: the minutes of the old date that show again belong to the new day.
        shown_dates = {local(edge + (next_edge - edge) * part // 8, zone).date() for part in range(8)}
        assert max(shown_dates) == local(edge, zone).date()
        assert local(next_edge - 1, zone).date() == local(edge, zone).date()


@settings(max_examples=150, deadline=None)
@given(
    zone=zones,
    start=st.integers(EARLIEST, LATEST - 500 * NS_PER_DAY),
    length=st.integers(1, 200 * NS_PER_DAY),
    size=st.sampled_from([WindowSize.MINUTE, WindowSize.HOUR]),
)
def test_within_an_hour_or_minute_the_local_clock_shows_one_and_is_not_moved(
    zone: str, start: int, length: int, size: WindowSize
) -> None:
    width = NS_PER_HOUR if size is WindowSize.HOUR else NS_PER_MINUTE
    length = length if size is WindowSize.HOUR else length // 60 + 1
    edges = cut_windows(Instant(start), Instant(start + length), size, zone).instants()
    assert (edges[0], edges[-1]) == (start, start + length)
    for edge, next_edge in list(pairwise(edges))[:: max(len(edges) // 200, 1)]:
        first, last = local(edge, zone), local(next_edge - 1, zone)
        assert first.utcoffset() == last.utcoffset()
        assert f"{first:%F %H}" == f"{last:%F %H}"
        assert size is WindowSize.HOUR or first.minute == last.minute
        assert next_edge - edge <= width


@settings(max_examples=100, deadline=None)
@given(
    zone=st.sampled_from(ODD_ZONES),
    start=st.integers(parse_instant("1970-01-01T00:00:00Z"), parse_instant("2030-01-01T00:00:00Z")),
    length=st.integers(1, 40 * NS_PER_DAY),
    size=st.sampled_from(list(WindowSize)),
    parts=st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
def test_every_instant_is_placed_in_the_window_that_holds_it(
    zone: str, start: int, length: int, size: WindowSize, parts: list[float]
) -> None:
    windows = cut_windows(Instant(start), Instant(start + length), size, zone)
    edges = windows.instants()
    instants = (
        [min(start + int(length * part), start + length - 1) for part in parts]
        + edges[:-1]
        + [edge - 1 for edge in edges[1:]]
    )
    placed: list[int] = pl.select(windows.index_of(pl.lit(pl.Series(instants, dtype=pl.Int64)))).to_series().to_list()
    if len(placed) == 1:  # a literal for all
        placed *= len(instants)
    assert all(edges[index] <= instant < edges[index + 1] for instant, index in zip(instants, placed, strict=True))


def offset_moves(zone: str) -> list[int]:
    """Return the seconds since 1970 at which a zone's offset changes, read from its TZif file (RFC 9636)."""
    data = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    utc, std, leap, times, types, chars = struct.unpack(">6l", data[20:44])
    body = 44 + times * 5 + types * 6 + chars + leap * 8 + std + utc + 44  # the second block has 64-bit times
    _, _, _, times, types, _ = struct.unpack(">6l", data[body - 24 : body])
    moments = struct.unpack(f">{times}q", data[body : body + 8 * times])
    kinds = data[body + 8 * times : body + 9 * times]
    kind_start = body + 9 * times
    offsets: list[int] = [
        struct.unpack(">l", data[kind_start + 6 * kind : kind_start + 6 * kind + 4])[0] for kind in kinds
    ]
    moves = [
        moment for moment, before, after in zip(moments[1:], offsets, offsets[1:], strict=False) if before != after
    ]
    return [moment for moment in moves if moment >= -86_400]


def test_no_zone_moves_its_clock_twice_between_two_samples() -> None:
    gaps = [(end - start, zone) for zone in zone_names() for start, end in pairwise(offset_moves(zone))]
    assert len(gaps) > 10_000
    assert min(gaps)[0] * NS_PER_S > 2 * STRETCH_SAMPLE_NS


def test_a_calendar_finds_every_move_of_every_odd_zone() -> None:
    for zone in (zone for zone in ODD_ZONES if zone != "Antarctica/Troll"):  # which has a rule alone
        # Later moves come from a rule at the file's end.
        listed = [moment for moment in offset_moves(zone) if moment > 0]
        end = Instant(listed[-1] * NS_PER_S + 1)
        assert [stretch.start // NS_PER_S for stretch in LocalCalendar(zone).stretches(Instant(0), end)][1:] == listed
