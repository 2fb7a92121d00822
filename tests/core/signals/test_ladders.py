"""Ladders and gauges: where figures stand, and what moves when they climb or fall."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.signals.column_heights import change_heights, figure_heights
from tallystick.signals.gauge import FROM_NOTHING, Gauge, GaugeKind, change_shown, change_units, gauge_of, rungs_of
from tallystick.signals.ladder import UNITS_MAX, Ladder, Rung, units_from
from tallystick.signals.signal import Condition, ConditionType, Direction, Op
from tallystick.usage.figure import LIMB

ONE = 10**12
THRESHOLD, ABSOLUTE, PERCENT = ConditionType.THRESHOLD, ConditionType.ABSOLUTE_CHANGE, ConditionType.PERCENT_CHANGE
Parts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def near_a_power(power: int, by: int) -> int:
    return int("1" + "0" * power) + by


# Near one another, near powers of ten, and past what columns hold.
UNITS = st.one_of(
    st.integers(-20, 20),
    st.integers(-20, 20).map(lambda n: n * ONE),
    st.integers(-(10**40), 10**40),
    st.builds(near_a_power, st.integers(0, 39), st.integers(-3, 3)),
)
KEPT = st.one_of(st.integers(-(10**20), 10**20), st.integers(-30, 30), st.integers(-30, 30).map(lambda n: n * ONE))


def threshold(*figures: str, op: Op = Op.AT_LEAST, limit: str | None = None) -> Condition:
    return Condition(
        type=THRESHOLD, op=op, thresholds=tuple(map(Decimal, figures)), limit=None if limit is None else Decimal(limit)
    )


def height_of(condition: Condition, figure: str) -> int:
    units = int(Decimal(figure) * ONE)
    gauge = gauge_of(condition)
    ladder = Ladder(rungs_of("s", condition))
    return ladder.height(-units if gauge.kind is GaugeKind.FIGURE_DOWN else units)


@pytest.mark.parametrize(
    ("condition", "figure", "level"),
    [
        (threshold("80"), "79.999999999999", 0),
        (threshold("80"), "80", 1),
        (threshold("80", op=Op.ABOVE), "80", 0),
        (threshold("80", op=Op.ABOVE), "80.000000000001", 1),
        (threshold("80", op=Op.AT_MOST), "80", 1),
        (threshold("80", op=Op.AT_MOST), "80.000000000001", 0),
        (threshold("80", op=Op.BELOW), "80", 0),
        (threshold("80", op=Op.BELOW), "79.999999999999", 1),
        (threshold("50", "80", "100", limit="150"), "74", 0),
        (threshold("50", "80", "100", limit="150"), "75", 1),
        (threshold("50", "80", "100", limit="150"), "149.9", 2),
        (threshold("50", "80", "100", limit="150"), "1000", 3),
        (threshold("10", "5", op=Op.BELOW), "7", 1),
        (threshold("10", "5", op=Op.BELOW), "-3", 2),
        (threshold("0.000000000001", limit="1"), "0.000000000001", 1),
        (threshold("-5"), "-5", 1),
    ],
)
def test_a_figure_is_at_the_level_that_its_thresholds_say(condition: Condition, figure: str, level: int) -> None:
    assert height_of(condition, figure) == level


@pytest.mark.parametrize(
    ("kind", "direction", "floor", "figure", "base", "expected"),
    [
        (ABSOLUTE, Direction.UP, None, 15, 10, 5 * ONE),
        (ABSOLUTE, Direction.DOWN, None, 15, 10, -5 * ONE),
        (ABSOLUTE, Direction.ANY, None, 5, 10, 5 * ONE),
        (PERCENT, Direction.UP, None, 15, 10, 50 * ONE),
        (PERCENT, Direction.DOWN, None, 5, 10, 50 * ONE),
        (PERCENT, Direction.ANY, None, 1, 3, 66_666666666666),
        (PERCENT, Direction.UP, None, 5, 0, FROM_NOTHING),
        (PERCENT, Direction.DOWN, None, 5, 0, 0),
        (PERCENT, Direction.DOWN, None, 0, 0, 0),
        (PERCENT, Direction.UP, 10, 9, 1, None),
        (PERCENT, Direction.UP, 10, 9, 0, None),
        (PERCENT, Direction.DOWN, 10, 9, 10, 10 * ONE),
        (PERCENT, Direction.UP, None, -5, -10, 50 * ONE),
        (PERCENT, Direction.UP, None, None, 10, None),
        (PERCENT, Direction.UP, None, 10, None, None),
    ],
)
def test_a_change_is_measured_from_the_period_before(
    kind: ConditionType,
    direction: Direction,
    floor: int | None,
    figure: int | None,
    base: int | None,
    expected: int | None,
) -> None:
    condition = Condition(
        type=kind, value=Decimal(1), direction=direction, floor=None if floor is None else Decimal(floor)
    )
    parts = [None if each is None else each * ONE for each in (figure, base)]
    assert change_units(gauge_of(condition), parts[0], parts[1]) == expected


def test_a_step_tells_no_change_where_there_was_nothing_before() -> None:
    condition = Condition(type=PERCENT, value=Decimal(10))
    assert change_shown(condition, 5 * ONE, 0) is None
    assert change_shown(condition, 1 * ONE, 3 * ONE) == Decimal("-66.666666666667")
    assert change_shown(Condition(type=ABSOLUTE, value=Decimal(1)), 1 * ONE, 3 * ONE) == -2


@given(units=st.lists(UNITS, max_size=12), rungs=st.lists(UNITS, min_size=1, max_size=8))
def test_columns_stand_where_every_figure_by_itself_does(units: list[int], rungs: list[int]) -> None:
    ladder = Ladder(Rung(each, "s", level) for level, each in enumerate(sorted(rungs), start=1))
    assert ladder.heights(units).to_list() == [sum(rung <= each for rung in rungs) for each in units]


@given(figures=st.lists(KEPT, max_size=12), rungs=st.lists(UNITS, min_size=1, max_size=8), is_down=st.booleans())
def test_kept_figures_stand_where_every_figure_by_itself_does(
    figures: list[int], rungs: list[int], *, is_down: bool
) -> None:
    ladder = Ladder(Rung(each, "s", level) for level, each in enumerate(sorted(rungs), start=1))
    gauge = Gauge(GaugeKind.FIGURE_DOWN if is_down else GaugeKind.FIGURE)
    heights = figure_heights(ladder, gauge, parts(figures))
    assert heights.tolist() == [ladder.height(-each if is_down else each) for each in figures]


@given(
    pairs=st.lists(st.tuples(KEPT, KEPT), max_size=12),
    rungs=st.lists(UNITS.filter(lambda units: 0 < units < UNITS_MAX), min_size=1, max_size=6),
    kind=st.sampled_from([kind for kind in GaugeKind if kind.value.startswith(("change", "percent"))]),
    floor=st.none() | KEPT,
    share=st.integers(1, 400),
)
def test_kept_changes_stand_where_every_change_by_itself_does(
    pairs: list[tuple[int, int]], rungs: list[int], kind: GaugeKind, floor: int | None, share: int
) -> None:
    # Also changes of exactly so many percent, which is where floating point would be wrong.
    pairs = [*pairs, *((base + base * share // 100, base) for _, base in pairs)]
    rungs = [*rungs, share * ONE]
    gauge = Gauge(kind, floor if kind.value.startswith("percent") else None)
    ladder = Ladder(Rung(each, "s", level) for level, each in enumerate(sorted(rungs), start=1))
    heights = change_heights(ladder, gauge, parts([now for now, _ in pairs]), parts([was for _, was in pairs]))
    assert heights.tolist() == [ladder.height(change_units(gauge, now, was)) for now, was in pairs]


def parts(units: list[int]) -> Parts:
    return np.array([each // LIMB for each in units], np.int64), np.array([each % LIMB for each in units], np.int64)


@given(
    signals=st.dictionaries(st.sampled_from("abcd"), st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True)),
    before=st.integers(-1, 13),
    after=st.integers(-1, 13),
)
def test_what_moves_between_two_figures_is_what_their_levels_say(
    signals: dict[str, list[int]], before: int, after: int
) -> None:
    ladder = Ladder(
        Rung(units, signal, level)
        for signal, found in signals.items()
        for level, units in enumerate(sorted(found), start=1)
    )
    was, now = (
        {key: sum(each <= figure for each in found) for key, found in signals.items()} for figure in (before, after)
    )
    expected = {(key, was[key], now[key]) for key in signals if was[key] != now[key]}
    moves = ladder.moves(ladder.height(before), ladder.height(after))
    assert {(move.signal, move.before, move.after) for move in moves} == expected
    settled = ladder.moves_from({key: level for key, level in was.items() if level}, ladder.height(after))
    assert {(move.signal, move.before, move.after) for move in settled} == expected


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6),
    st.integers(-(10**19), 10**19),
)
def test_a_threshold_between_two_units_is_passed_by_the_next_one(threshold: Decimal, units: int) -> None:
    exact = Fraction(threshold) * ONE
    assert (units >= units_from(threshold, is_passed_at=True)) == (units >= exact)
    assert (units >= units_from(threshold, is_passed_at=False)) == (units > exact)


def test_no_figure_stands_on_the_ground() -> None:
    ladder = Ladder([Rung(-5, "s", 1)])
    assert ladder.heights([None, -6, -5]).to_list() == [0, 0, 1]
    assert ladder.heights_of(pl.Series([None, -5], dtype=pl.Int128)).to_list() == [0, 1]
