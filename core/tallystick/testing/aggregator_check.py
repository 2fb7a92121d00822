"""Checks that an aggregator keeps the rules of `usage.aggregators.aggregator`, with generated events: one line in a plugin's tests.

    def test_my_aggregator_keeps_the_rules() -> None:
        check_aggregator(MyPlugin, options={"p": 95}, field="properties.n")

Checked: figures do not depend on the order of rows, nor on how they were cut into frames; folding stretches of time and merging gives
what folding everything gives; merging is associative and, of one state, changes nothing; keys do not touch each other, null is a key; no
event is counted twice or dropped. Of a plugin also what `plugin_check` says.
Needs `hypothesis`, which the product itself does not: it comes with the `dev` extra.
Not checked: whether the figure is the one that the aggregator's name promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tallystick.amount import EXACT, SCALE
from tallystick.meter import Meter
from tallystick.plugin import AggregatorPlugin
from tallystick.usage.aggregators import EVENTS, Aggregator
from tallystick.usage.aggregators.plugin_aggregator import AnyPlugin, PluginAggregator
from tallystick.usage.event_frames import POSITION, TIME, VALUE, VALUE_TYPE
from tallystick.usage.figure import HIGH, LOW, figure
from tallystick.usage.operand import Operand

from .plugin_check import bound_plugin, check_plugin_states, meter_of

_KEY: Final = "key"
_TIMES_MAX: Final = 20
_LARGEST_UNITS: Final = 10**38 - 1

Figures = dict[str | None, tuple[Decimal | None, int]]


def check_aggregator(
    aggregator: type[Aggregator | AnyPlugin],
    meter: Meter | None = None,
    *,
    options: Mapping[str, object] | None = None,
    field: str = VALUE,
    texts: Sequence[str] = (),
    examples: int = 100,
) -> None:
    """Raise `AssertionError`, with the smallest events found, if the aggregator breaks a rule for this meter.

    A plugin needs no meter, only the options and the field that one would give it. `texts` are values that text fields should have now and
    then, beside any others.
    """
    meter = meter or meter_of(aggregator, options, field)
    is_plugin = issubclass(aggregator, AggregatorPlugin)
    bound: Aggregator = bound_plugin(aggregator, meter) if is_plugin else aggregator(meter)

    @settings(
        max_examples=examples,
        deadline=None,  # the first example imports and warms up Polars
        database=None,  # an author's test leaves no folder behind
        derandomize=True,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),  # explaining takes longer than finding
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        rows=st.lists(_rows(bound.operands, texts), max_size=12),
        cuts=st.lists(st.integers(0, _TIMES_MAX), min_size=3, max_size=3).map(sorted),
        random=st.randoms(use_true_random=False),
    )
    def check(
        rows: list[dict[str, Any]], cuts: list[int], random: Any
    ) -> None:  # Any: typeshed's Random is banned in core
        rows = [row | {POSITION: position} for position, row in enumerate(rows, start=1)]
        shuffled = list(rows)
        random.shuffle(shuffled)
        try:
            _check_rules(bound, rows, shuffled, cuts)
            if isinstance(bound, PluginAggregator):
                check_plugin_states(
                    bound, _frame(bound, shuffled), _figures(bound, bound.fold(_frame(bound, rows), [_KEY]))
                )
        except AssertionError as broken:
            raise AssertionError(f"{aggregator.__name__}: {broken}\n{_shown(bound, rows)}") from None

    check()


def _check_rules(
    bound: Aggregator, rows: Sequence[dict[str, Any]], shuffled: Sequence[dict[str, Any]], cuts: Sequence[int]
) -> None:
    keys = [_KEY]
    whole = bound.fold(_frame(bound, rows), keys)
    expected = _figures(bound, whole)
    counted: dict[str | None, int] = {}
    for row in rows:
        counted[row[_KEY]] = counted.get(row[_KEY], 0) + 1
    found = {key: events for key, (_, events) in expected.items()}
    assert found == counted, f"events went in, by key: {counted}; `events` says {found}"  # noqa: S101 - an assertion is what this module is for

    half = len(shuffled) // 2
    in_frames = pl.concat([_frame(bound, shuffled[:half]), _frame(bound, shuffled[half:])])
    _same("folding in another order and in two frames", _figures(bound, bound.fold(in_frames, keys)), expected)
    _same("merging a state alone", _figures(bound, bound.merge(whole, keys)), expected)

    edges = [-1, *cuts, _TIMES_MAX + 1]
    stretches = [
        bound.fold(_frame(bound, [row for row in shuffled if start <= row[TIME] < end]), keys)
        for start, end in pairwise(edges)
    ]
    _same("merging stretches of time", _figures(bound, bound.merge(pl.concat(stretches), keys)), expected)
    from_left, from_right = stretches[0], stretches[-1]
    for stretch in stretches[1:]:
        from_left = bound.merge(pl.concat([from_left, stretch]), keys)
    for stretch in reversed(stretches[:-1]):
        from_right = bound.merge(pl.concat([stretch, from_right]), keys)
    _same("merging from the left", _figures(bound, from_left), expected)
    _same("merging from the right", _figures(bound, from_right), expected)


def _figures(bound: Aggregator, states: pl.LazyFrame) -> Figures:
    read = bound.read(states, [_KEY]).select(_KEY, HIGH, LOW, EVENTS).collect(engine="streaming")
    return {key: (figure(high, low), events) for key, high, low, events in read.iter_rows()}


def _same(what: str, found: Figures, expected: Figures) -> None:
    assert found == expected, f"{what} gives {found}, folding at once {expected}"  # noqa: S101 - an assertion is what this module is for


def _shown(bound: Aggregator, rows: Sequence[dict[str, Any]]) -> str:
    names = {_KEY: _KEY, TIME: TIME} | {operand.column: operand.field for operand in bound.operands}
    lines = [" ".join(f"{name}={row[column]}" for column, name in names.items()) for row in rows]
    return "\n".join(["with these events:", *lines] if lines else ["with no events at all"])


def _rows(
    operands: Sequence[Operand], texts: Sequence[str]
) -> st.SearchStrategy[dict[str, Any]]:  # Any: a row as Polars takes it
    columns: dict[str, st.SearchStrategy[Any]] = {
        _KEY: st.sampled_from(["a", "b", None]),
        TIME: st.integers(0, _TIMES_MAX),
    }
    return st.fixed_dictionaries(columns | {operand.column: _values(operand, texts) for operand in operands})


def _values(operand: Operand, texts: Sequence[str]) -> st.SearchStrategy[Decimal | str]:
    if operand.data_type == VALUE_TYPE:
        units = st.integers(-_LARGEST_UNITS, _LARGEST_UNITS) | st.sampled_from([_LARGEST_UNITS, -_LARGEST_UNITS])
        return units.map(_amount) | st.integers(-2, 2).map(Decimal)
    usual = ["1", "1.0", "true", *texts, *([] if operand.if_missing is None else [operand.if_missing])]
    return st.text(max_size=2) | st.sampled_from(usual)


def _amount(units: int) -> Decimal:
    return Decimal(units).scaleb(-SCALE, EXACT)


def _frame(bound: Aggregator, rows: Sequence[dict[str, Any]]) -> pl.LazyFrame:
    schema: dict[str, pl.DataType] = {_KEY: pl.String(), TIME: pl.Int64(), POSITION: pl.Int64()}
    schema |= {operand.column: operand.data_type for operand in bound.operands}
    return pl.LazyFrame({name: pl.Series([row[name] for row in rows], dtype=dtype) for name, dtype in schema.items()})
