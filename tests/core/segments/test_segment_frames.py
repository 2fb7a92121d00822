"""Whatever way events are cut into segments, merges and the tail, questions get the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.customer import CustomerSeen
from tallystick.event import PropertyValue
from tallystick.instant import NS_PER_HOUR, Instant
from tallystick.segments.event_places import Place
from tests.core.segments.kept import Kept
from tests.core.segments.recorded import (
    NASTY_NAMES,
    NOON,
    PLAIN_NAMES,
    Recorded,
    answered,
    as_columns,
    cut_columns,
    expected,
    recorded_events,
    times,
)

FOR_EVER = 1 << 62
cuts = st.lists(st.integers(0, 40), max_size=5)
merges = st.lists(st.tuples(st.lists(st.integers(0, 6), max_size=4), st.integers(1, 12)), max_size=3)


def keep(kept: Kept, events: Sequence[Recorded], where: Sequence[int], merged: Sequence[tuple[list[int], int]]) -> None:
    """Write all parts but the last as segments, merge some of those, and put the last part into the tail."""
    *sealed, live = cut_columns(events, where) or [[]]
    for part in sealed:
        kept.write(part)
    for chosen, file_rows_max in merged:
        kept.merge(chosen, file_rows_max=file_rows_max)
    for columns in live:
        kept.tail.append(columns)


@settings(max_examples=60, deadline=None)
@given(
    events=recorded_events(),
    where=cuts,
    merged=merges,
    bounds=st.tuples(times(), times()),
    names=st.lists(st.sampled_from(PLAIN_NAMES + NASTY_NAMES), unique=True, max_size=6),
    customers=st.none() | st.lists(st.sampled_from(["acme", "b", "zoo\x00", "nobody"]), max_size=3),
    as_of=st.none() | st.integers(0, 100),
    voided=st.sets(st.integers(1, 60)),
)
def test_frames_depend_on_the_set_of_events_alone(
    events: list[Recorded],
    where: list[int],
    merged: list[tuple[list[int], int]],
    bounds: tuple[int, int],
    names: list[str],
    customers: list[str] | None,
    as_of: int | None,
    voided: set[int],
) -> None:
    start, end = sorted(bounds)
    wanted = [
        event
        for event in events
        if event.type == "api_call"
        and start <= event.time < end
        and (customers is None or event.customer in customers)
        and (as_of is None or event.position <= as_of)
        and event.position not in voided
    ]
    with Kept() as kept:
        keep(kept, events, where, merged)
        frames = kept.frames(
            event_type="api_call",
            start=start,
            end=end,
            properties=names,
            customers=customers,
            as_of=as_of,
            voided=sorted(voided),
        )
        assert answered(frames) == expected(wanted, names)


@settings(max_examples=40, deadline=None)
@given(
    events=recorded_events(),
    where=cuts,
    merged=merges,
    customer=st.none() | st.just("acme"),
    event_type=st.none() | st.just("api_call"),
    bounds=st.none() | st.tuples(times(), times()),
    limit=st.integers(1, 7),
)
def test_pages_of_newest_events_are_the_events_sorted(
    events: list[Recorded],
    where: list[int],
    merged: list[tuple[list[int], int]],
    customer: str | None,
    event_type: str | None,
    bounds: tuple[int, int] | None,
    limit: int,
) -> None:
    start, end = sorted(bounds) if bounds else (None, None)
    wanted = [
        (event.time, event.position)
        for event in events
        if customer in {None, event.customer}
        and event_type in {None, event.type}
        and (start is None or end is None or start <= event.time < end)
    ]
    with Kept() as kept:
        keep(kept, events, where, merged)
        listed: list[tuple[int, int]] = []
        while True:
            before = Place(*listed[-1]) if listed else None
            page = kept.newest(
                customer=customer, event_type=event_type, start=start, end=end, before=before, limit=limit
            )
            listed += zip(page.times.tolist(), page.positions.tolist(), strict=True)
            if len(page) < limit:
                break
    assert listed == sorted(wanted, reverse=True)


@settings(max_examples=30, deadline=None)
@given(events=recorded_events(), where=cuts, merged=merges, limit=st.integers(1, 5))
def test_pages_of_customers_have_each_with_its_count_and_latest_time(
    events: list[Recorded], where: list[int], merged: list[tuple[list[int], int]], limit: int
) -> None:
    counts = Counter(event.customer for event in events)
    wanted = [
        CustomerSeen(
            key=key,
            event_count=counts[key],
            last_event_at=Instant(max(event.time for event in events if event.customer == key)),
        )
        for key in sorted(counts)
    ]
    with Kept() as kept:
        keep(kept, events, where, merged)
        listed: list[CustomerSeen] = []
        while page := kept.customers(after=listed[-1].key if listed else None, limit=limit):
            listed += page
    assert listed == wanted


def event(position: int, *, hour: int = 0, properties: dict[str, PropertyValue] | None = None) -> Recorded:
    return Recorded(
        position=position,
        type="api_call",
        customer="acme",
        time=NOON + hour * NS_PER_HOUR,
        value=Decimal(position),
        properties=properties or {},
    )


def test_a_property_beyond_the_hundred_with_a_column_is_still_answered() -> None:
    events = [event(n, properties={f"name{k}": f"{n}.{k}" for k in range(n, n + 128)}) for n in range(1, 60)]
    with Kept() as kept:
        kept.write(as_columns(events))
        (entry,) = kept.segments.entries
        assert (len(entry.properties), entry.has_rest) == (100, True)
        names = ["name1", "name60", "name100", "name186", "name200"]
        assert answered(kept.frames(event_type="api_call", start=0, end=FOR_EVER, properties=names)) == expected(
            events, names
        )


def test_files_with_different_columns_merge_into_one_that_answers_the_same() -> None:
    one = [event(n, properties={f"name{k}": f"{n}" for k in range(100)}) for n in range(1, 20)]
    other = [event(n, properties={f"name{k}": f"{n}" for k in range(50, 170)}) for n in range(20, 60)]
    names = ["name0", "name49", "name50", "name99", "name100", "name169", "name170"]
    with Kept() as kept:
        kept.write(as_columns(one))
        kept.write(as_columns(other))
        kept.merge([0, 1], file_rows_max=30)
        assert [len(entry.properties) for entry in kept.segments.entries] == [100, 100]
        assert answered(kept.frames(event_type="api_call", start=0, end=FOR_EVER, properties=names)) == expected(
            one + other, names
        )


def test_a_file_outside_the_question_is_not_opened() -> None:
    with Kept() as kept:
        kept.write(as_columns([event(1, hour=0)]))
        kept.write(as_columns([event(2, hour=2)]))
        (kept.directory / kept.segments.entries[1].file).unlink()
        assert len(kept.frames(event_type="api_call", start=NOON, end=NOON + 1)) == 1
        assert kept.frames(event_type="other", start=0, end=FOR_EVER) == []
        assert kept.frames(event_type="api_call", start=0, end=FOR_EVER, customers=[]) == []
        assert len(kept.frames(event_type="api_call", start=0, end=FOR_EVER, as_of=1)) == 1


def test_the_newest_page_leaves_older_files_alone() -> None:
    with Kept() as kept:
        kept.write(as_columns([event(1, hour=0)]))
        kept.write(as_columns([event(2, hour=2)]))
        (kept.directory / kept.segments.entries[0].file).unlink()
        page = kept.newest(customer=None, event_type=None, start=None, end=None, before=None, limit=1)
        assert page.positions.tolist() == [2]


def test_a_frame_can_be_collected_after_its_file_was_merged_away() -> None:
    with Kept() as kept:
        kept.write(as_columns([event(1), event(2)]))
        name = kept.segments.entries[0].file
        frames = kept.frames(event_type="api_call", start=0, end=FOR_EVER)
        kept.merge([0], file_rows_max=10)
        assert not (kept.directory / name).exists()
        assert answered(frames) == expected([event(1), event(2)], [])
        assert pl.concat(frames).select(pl.len()).collect(engine="streaming").item() == 2


def test_a_file_that_was_merged_away_stays_until_the_last_snapshot_is_gone() -> None:
    with Kept() as kept:
        kept.write(as_columns([event(1)]))
        snapshot = kept.segments
        path = kept.directory / snapshot.entries[0].file
        kept.merge([0], file_rows_max=10)
        assert path.exists()
        assert answered(snapshot.frames(event_type="api_call", start=0, end=FOR_EVER)) == expected([event(1)], [])
        del snapshot
        assert not path.exists()
