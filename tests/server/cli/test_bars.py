"""Bars of block characters."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallystick_server.cli.bars import lying_bars, standing_bars

VALUES = st.lists(st.none() | st.decimals(-1000, 1000, places=2), min_size=1, max_size=12)


def decimals(*texts: str | None) -> list[Decimal | None]:
    return [None if text is None else Decimal(text) for text in texts]


def test_a_lying_bar_is_as_long_as_its_value_to_an_eighth_of_a_cell() -> None:
    assert lying_bars(decimals("8", "4", "0.5", "0", None, "0.0001", "-4"), 8) == [
        "████████",
        "████",
        "▌",
        "",
        "",
        "▏",
        "░░░░",
    ]
    assert lying_bars(decimals("0", None), 8) == ["", ""]
    assert lying_bars([], 8) == []


def test_standing_bars_grow_from_zero() -> None:
    assert standing_bars(decimals("2", "1", "0", None, "0.5"), top=Decimal(2), bottom=Decimal(0), height=2) == [
        "█    ",
        "██  ▄",
    ]
    assert standing_bars(decimals("1", "-1", "-0.5"), top=Decimal(1), bottom=Decimal(-1), height=4) == [
        "█  ",
        "█  ",
        " ██",
        " █ ",
    ]
    assert standing_bars(decimals("-1", "-0.25"), top=Decimal(0), bottom=Decimal(-1), height=2) == ["█▀", "█ "]
    assert standing_bars(decimals("0"), top=Decimal(0), bottom=Decimal(0), height=2) == [" ", " "]


@given(values=VALUES, height=st.integers(2, 12))
def test_charts_have_the_size_that_was_asked_for_and_no_value_is_lost(
    values: list[Decimal | None], height: int
) -> None:
    known = [value for value in values if value is not None]
    top, bottom = max([*known, Decimal(0)]), min([*known, Decimal(0)])
    lines = standing_bars(values, top=top, bottom=bottom, height=height)
    assert [len(line) for line in lines] == [len(values)] * height
    for at, value in enumerate(values):
        assert bool("".join(line[at] for line in lines).strip()) == bool(value)
    bars = lying_bars(values, 20)
    assert all(len(bar) <= 20 for bar in bars)
    assert [bool(bar) for bar in bars] == [bool(value) for value in values]
