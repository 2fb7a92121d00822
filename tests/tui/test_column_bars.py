"""Bars on whole columns: no peak is lost, nothing looks like a zero that is none."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tallystick_tui.widgets.column_bars import Bar, column_bars, fit_side_by_side, side_by_side

FIGURES = st.lists(st.integers(1, 1000), min_size=1, max_size=400)


def columns_of(bars: list[Bar], *, count: int, columns: int) -> list[float]:
    """Return the figure that each column shows; 0 where it shows none."""
    shown = [0.0] * columns
    for bar in bars:
        begin, end = ((bar.centre + side * bar.width / 2) / count * columns for side in (-1, 1))
        assert abs(begin - round(begin)) < 1e-6
        assert round(end) > round(begin)
        for column in range(round(begin), round(end)):
            shown[column] = max(shown[column], bar.figure)
    return shown


def bars_of(figures: list[int], columns: int) -> list[Bar]:
    points = [(at + 0.5, float(figure)) for at, figure in enumerate(figures)]
    return column_bars(points, step=1.0, first=0.0, last=float(len(figures)), columns=columns)


@given(FIGURES, st.integers(1, 200))
def test_each_column_shows_the_highest_of_its_bars_and_none_is_empty(figures: list[int], columns: int) -> None:
    bars = bars_of(figures, columns)
    shown = columns_of(bars, count=len(figures), columns=columns)
    if columns >= 3 * len(figures):
        assert [bar.figure for bar in bars] == figures
        # Between any two stands a column without one.
        runs = [figure for figure, before in zip(shown, [0.0, *shown], strict=False) if figure and not before]
        assert runs == figures
        return
    assert min(shown) > 0
    assert max(shown) == max(figures)
    if columns >= len(figures):
        # Every bar is seen.
        assert [bar.figure for bar in bars] == figures


def test_where_there_is_no_figure_there_is_no_bar() -> None:
    bars = column_bars([(0.5, 7.0), (9.5, 3.0)], step=1.0, first=0.0, last=10.0, columns=10)
    assert columns_of(bars, count=10, columns=10) == [7.0, *[0.0] * 8, 3.0]


def test_a_graph_without_width_has_no_bars() -> None:
    assert column_bars([(1.0, 2.0)], step=1.0, first=0.0, last=2.0, columns=0) == []
    assert column_bars([(1.0, 2.0)], step=1.0, first=2.0, last=2.0, columns=5) == []


@given(st.integers(2, 6), st.integers(1, 40), st.integers(10, 240))
def test_bars_of_several_series_stand_side_by_side_and_none_hides_another(count: int, steps: int, columns: int) -> None:
    axis = (0.0, float(steps))
    points = [(at + 0.5, float(at + 1)) for at in range(steps)]
    if not fit_side_by_side(count, step=1.0, axis=axis, columns=columns):
        assert columns < steps * (count + 1)
        return
    taken: list[tuple[float, float]] = []
    for place in range(count):
        own = side_by_side(points, step=1.0, place=place, count=count)
        bars = column_bars(own, step=1.0 / (count + 1), first=axis[0], last=axis[1], columns=columns)
        assert [bar.figure for bar in bars] == [figure for _, figure in points]
        taken += [(bar.centre - bar.width / 2, bar.centre + bar.width / 2) for bar in bars]
    taken.sort()
    assert all(before[1] <= after[0] + 1e-9 for before, after in pairwise(taken))


def test_a_single_series_needs_no_room_for_others() -> None:
    assert fit_side_by_side(1, step=1.0, axis=(0.0, 1_000.0), columns=10)
