"""A legend stands where it hides the least."""

from __future__ import annotations

import pytest

from tallystick_tui.widgets.legend_corner import Canvas, Corner, along, free_corner

CANVAS = Canvas(first=0.0, last=100.0, low=0.0, high=10.0, columns=100, rows=20)
NAMES = ["acme", "globex"]


def line(*figures: float) -> list[tuple[float, float]]:
    """Return points from the left edge to the right one."""
    return [(100.0 * place / (len(figures) - 1), figure) for place, figure in enumerate(figures)]


@pytest.mark.parametrize(
    ("figures", "corner"),
    [
        ((1.0,) * 50, Corner.TOPRIGHT),
        ((*[1.0] * 40, *[10.0] * 10), Corner.TOPLEFT),
        ((10.0,) * 50, Corner.BOTTOMRIGHT),
        ((*[9.9] * 25, 5.0, *[9.9] * 10, *[0.0] * 14), Corner.TOPRIGHT),
        ((*[0.0] * 10, *[10.0] * 40), Corner.TOPLEFT),
    ],
)
def test_it_stands_where_no_point_lies_below_it(figures: tuple[float, ...], corner: Corner) -> None:
    assert free_corner(NAMES, line(*figures), CANVAS, is_filled=False) is corner


def test_what_is_filled_down_to_the_axis_leaves_no_room_below() -> None:
    high = line(*[10.0] * 50)
    assert free_corner(NAMES, high, CANVAS, is_filled=True) is Corner.TOPRIGHT
    assert free_corner(NAMES, high, CANVAS, is_filled=False) is Corner.BOTTOMRIGHT


def test_a_graph_without_room_has_one_all_the_same() -> None:
    nowhere = Canvas(first=0.0, last=1.0, low=0.0, high=1.0, columns=0, rows=0)
    assert free_corner(NAMES, [], nowhere, is_filled=False) is Corner.TOPRIGHT


def test_what_a_line_draws_between_two_points_counts_as_well() -> None:
    ends = [(0.0, 9.5), (100.0, 9.5)]
    points = along(ends, step=1.0)
    assert len(points) == 101
    assert {figure for _, figure in points} == {9.5}
    assert free_corner(NAMES, points, CANVAS, is_filled=False) is Corner.BOTTOMRIGHT
    assert along([], step=1.0) == []
    assert along(ends[:1], step=1.0) == ends[:1]
