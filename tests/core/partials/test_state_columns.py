"""States as integers: put together they are what adding up by hand gives, and where 64 bits are too few they say so."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.native.library import NATIVE, NativeLibrary
from tallystick.partials import state_columns as state_columns_module
from tallystick.partials.group_codes import GROUPS_MAX, GroupCodes
from tallystick.partials.state_columns import (
    INT64_MAX,
    StateColumns,
    put_together,
    state_columns,
    units_of_parts,
)
from tallystick.usage.figure import HIGH, LIMB, LOW, figure, figure_of, parts_of_units

UNITS = st.integers(-(2**62), 2**62) | st.integers(-1_000, 1_000) | st.sampled_from([INT64_MAX, -INT64_MAX - 1])
STATES = st.dictionaries(
    st.tuples(st.integers(0, 40), st.integers(0, 6)), st.tuples(st.integers(1, 9), UNITS), max_size=30
)
Found = dict[tuple[int, int], tuple[int, int]]


def columns_of(states: Found, scale: int) -> StateColumns:
    keys = list(states)
    buckets = np.array(sorted({bucket for _, bucket in keys}), np.int64) * 100
    return state_columns(
        np.array([group for group, _ in keys], np.int64),
        np.searchsorted(buckets, [bucket * 100 for _, bucket in keys]),
        buckets,
        events=np.array([events for events, _ in states.values()], np.int64),
        units=np.array([units for _, units in states.values()], np.int64),
        scale=scale,
    )


def states_of(columns: StateColumns) -> Found:
    assert columns.units is not None
    instants = columns.buckets[columns.places].tolist()
    rows = zip(columns.groups.tolist(), instants, columns.events.tolist(), columns.units.tolist(), strict=True)
    return {(group, instant // 100): (events, units) for group, instant, events, units in rows}


@given(
    parts=st.lists(st.tuples(STATES, st.sampled_from([0, 2, 3])), min_size=1, max_size=5),
    library=st.sampled_from([NATIVE, None]),
)
def test_states_put_together_are_added_up_exactly_or_not_at_all(
    parts: list[tuple[Found, int]], library: NativeLibrary | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_columns_module, "NATIVE", library)
        together = put_together([columns_of(states, scale) for states, scale in parts])
    used = max((scale for states, scale in parts if states), default=parts[0][1])
    expected: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    size = 0
    for states, scale in parts:
        for key, (events, units) in states.items():
            expected[key][0] += events
            expected[key][1] += units * 10 ** (used - scale)
            size += abs(units) * 10 ** (used - scale)
    if together is None:
        assert size > INT64_MAX
        return
    assert together.scale == used
    assert states_of(together) == {key: tuple(value) for key, value in expected.items()}
    assert list(states_of(together)) == sorted(states_of(together))
    assert together.bound >= size


@given(states=STATES, wanted=st.sets(st.integers(0, 45), min_size=1))
def test_the_rows_of_some_groups_are_those_and_no_others(states: Found, wanted: set[int]) -> None:
    found = states_of(columns_of(states, 0).of_groups(list(wanted)))
    assert found == {key: value for key, value in states.items() if key[0] in wanted}


@given(
    figures=st.lists(st.integers(-(10**38), 10**38) | st.integers(-(10**6), 10**6).map(lambda units: units * 10**10))
)
def test_two_parts_become_one_number_where_it_fits_and_the_same_parts_again(figures: list[int]) -> None:
    parts = {HIGH: [figure // LIMB for figure in figures], LOW: [figure % LIMB for figure in figures]}
    frame = pl.DataFrame(parts, schema={HIGH: pl.Int128, LOW: pl.Int128})
    found = units_of_parts(frame)
    if found is None:
        assert max(map(abs, figures)) > INT64_MAX
        return
    units, scale = found
    assert [unit * 10 ** (12 - scale) for unit in units.tolist()] == figures
    assert pl.DataFrame(parts_of_units(units, scale)).equals(frame)
    expected = [figure(high, low) for high, low in zip(parts[HIGH], parts[LOW], strict=True)]
    assert [figure_of(unit, scale) for unit in units.tolist()] == expected


@given(
    rows=st.lists(st.tuples(st.none() | st.sampled_from("aäbBz "), st.none() | st.text(max_size=2)), min_size=1),
    names=st.sampled_from([("one",), ("one", "two")]),
)
def test_groups_keep_their_numbers_and_sort_as_an_answer_lists_them(
    rows: list[tuple[str | None, str | None]], names: tuple[str, ...]
) -> None:
    groups = GroupCodes(names)
    given_rows = [row[: len(names)] for row in rows]
    texts = [pl.Series([row[place] for row in given_rows], dtype=pl.String) for place in range(len(names))]
    codes = groups.of(texts, height=len(rows))
    assert codes is not None
    assert [column.to_list() for column in groups.columns(codes)] == [column.to_list() for column in texts]
    again = groups.of(texts, height=len(rows))
    assert again is not None
    assert again.tolist() == codes.tolist()
    distinct = np.unique(codes)
    listed = [column.to_list() for column in groups.columns(distinct[groups.sorted(distinct)])]
    expected = sorted(set(given_rows), key=lambda row: [(text is None, text or "") for text in row])
    assert list(zip(*listed, strict=True)) == expected


def test_more_groups_than_there_may_be_are_given_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.partials.group_codes.GROUPS_MAX", 3)
    assert GROUPS_MAX > 3
    groups = GroupCodes(("customer",))
    assert groups.of([pl.Series(["a", "b", "a"])], height=3) is not None
    assert groups.of([pl.Series(["c", "d"])], height=2) is None
    assert len(groups) == 2
