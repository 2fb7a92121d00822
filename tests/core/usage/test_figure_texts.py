"""Texts made of whole columns are those made of one figure, digit for digit."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tallystick.amount import plain
from tallystick.instant import EARLIEST, LATEST, Instant, format_instant
from tallystick.usage.aggregators import EVENTS
from tallystick.usage.answer import compared
from tallystick.usage.figure import HIGH, LIMB, LOW, figure
from tallystick.usage.figure_table import PREVIOUS_HIGH, PREVIOUS_LOW
from tallystick.usage.figure_texts import COMPARED, FEW_MAX, VALUE, figure_texts, instant_texts

UNITS = st.one_of(
    st.integers(-(10**4), 10**4),
    st.integers(-(10**32), 10**32),
    st.integers(-50, 50).map(lambda count: count * 10**12),
    st.sampled_from([0, 10**31 - 1, 10**31, -(10**31), 10**38, -(10**44)]),
)
FIGURES = st.lists(st.tuples(st.none() | UNITS, st.none() | UNITS, st.integers(0, 2**62)), max_size=8)


def table(figures: list[tuple[int | None, int | None, int]]) -> pl.DataFrame:
    names = (HIGH, LOW, PREVIOUS_HIGH, PREVIOUS_LOW)
    columns: dict[str, list[int | None]] = {name: [] for name in names}
    for value, before, _ in figures:
        for (high, low), units in (((HIGH, LOW), value), ((PREVIOUS_HIGH, PREVIOUS_LOW), before)):
            parts = (None, None) if units is None else divmod(units, LIMB)
            columns[high].append(parts[0])
            columns[low].append(parts[1])
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.Int128))
    return frame.with_columns(pl.Series(EVENTS, [events for *_, events in figures], dtype=pl.Int64))


def shown(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


@given(figures=FIGURES, few_max=st.sampled_from([0, FEW_MAX]))
def test_figures_and_comparisons_are_written_as_one_by_one(
    figures: list[tuple[int | None, int | None, int]], few_max: int
) -> None:
    texts = figure_texts(table(figures), few_max=few_max).to_dict(as_series=False)
    parts = [
        [(None if units is None else divmod(units, LIMB)) or (None, None) for units in (now, before)]
        for now, before, _ in figures
    ]
    values = [(figure(*now), figure(*before)) for now, before in parts]
    assert texts[VALUE] == [shown(now) for now, _ in values]
    assert texts[EVENTS] == [str(events) for *_, events in figures]
    for name in COMPARED:
        assert texts[name] == [shown(getattr(compared(now, before), name)) for now, before in values]


def test_figures_that_are_not_compared_have_no_more_than_a_value_and_a_count() -> None:
    plain_table = table([(15 * 10**11, None, 3)]).drop(PREVIOUS_HIGH, PREVIOUS_LOW)
    assert figure_texts(plain_table).to_dict(as_series=False) == {VALUE: ["1.5"], EVENTS: ["3"]}


@given(
    instants=st.lists(st.integers(EARLIEST, LATEST - 1) | st.integers(0, 10**6).map(lambda ms: ms * 10**6)),
    few_max=st.sampled_from([0, FEW_MAX]),
)
def test_instants_are_written_as_one_by_one(instants: list[int], few_max: int) -> None:
    found = instant_texts(pl.Series(instants, dtype=pl.Int64), few_max=few_max).to_list()
    assert found == [format_instant(Instant(instant)) for instant in instants]
