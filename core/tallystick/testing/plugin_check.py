"""What `check_aggregator` checks of a plugin beside the rules of every aggregator.

Checked: its options have a schema and refuse names that they do not have; a state is the same after it was written and read; states may be
merged in either order, also those of events that lie between each other in time, as events do that come late; folding events one by one and
merging gives what folding them together gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import polars as pl

from tallystick.errors import InvalidDefinition
from tallystick.meter import Meter
from tallystick.usage.aggregators.aggregator import EVENTS
from tallystick.usage.aggregators.plugin_aggregator import AnyPlugin, Origin, PluginAggregator
from tallystick.usage.aggregators.plugin_entry_points import checked_plugin
from tallystick.usage.aggregators.plugin_options import checked_options
from tallystick.usage.figure import HIGH, LOW, figure

_KEY: Final = "key"
_UNKNOWN_OPTION: Final = "no such option"

Figures = Mapping[str | None, tuple[Decimal | None, int]]


def meter_of(aggregator: type[Any], options: Mapping[str, object] | None, field: str) -> Meter:  # Any: of either kind
    """Return a meter of the aggregator, which needs no events to be one."""
    return Meter(
        key="checked",
        name="checked",
        event_type="checked",
        aggregation=aggregator.__name__,
        field=field,
        options=dict(options or {}),
    )


def bound_plugin(plugin: type[AnyPlugin], meter: Meter) -> PluginAggregator:
    """Return the plugin as the appliance would use it for the meter. Raises what the appliance would answer."""
    origin = Origin(plugin.__name__, plugin.__module__, "under test")
    aggregator = checked_plugin(plugin, origin).aggregator
    try:
        checked_options({**meter.options, _UNKNOWN_OPTION: 1}, plugin.options_type)
    except InvalidDefinition:
        return aggregator(meter)
    raise AssertionError(
        f"{plugin.options_type.__name__} takes options that it does not have: derive it from tallystick.plugin.Options"
    )


def check_plugin_states(bound: PluginAggregator, events: pl.LazyFrame, expected: Figures) -> None:
    """Raise `AssertionError` unless states survive storage and merge in any order."""
    for state in bound.fold_states(events, [_KEY])[0].values():
        again = bound.reread(state)
        _require(state == again, f"a state is not the same after it was written and read: {state!r} became {again!r}")

    height = events.select(pl.len()).collect().item()
    singly = [bound.fold(events.slice(place, 1), [_KEY]) for place in range(height)]
    if not singly:
        return
    for what, states in (
        ("folding one by one and merging", singly),
        ("merging in the opposite order", singly[::-1]),
        (
            "merging states that lie between each other in time",
            [bound.fold(events.gather_every(2, place), [_KEY]) for place in (0, 1)],
        ),
    ):
        found = _figures(bound, bound.merge(pl.concat(states), [_KEY]))
        _require(found == expected, f"{what} gives {found}, folding at once {expected}")


def _figures(bound: PluginAggregator, states: pl.LazyFrame) -> Figures:
    read = bound.read(states, [_KEY]).select(_KEY, HIGH, LOW, EVENTS).collect()
    return {key: (figure(high, low), events) for key, high, low, events in read.iter_rows()}


def _require(holds: bool, said: str) -> None:  # noqa: FBT001 - as `assert` has it
    if not holds:
        raise AssertionError(said)
