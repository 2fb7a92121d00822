"""The figure that a plugin gives for a few events, in one line of its author's test, without a store or a server.

    assert figure_of(Longest, amount=[Decimal(3), Decimal(5)]) == 5

Promises: the events go the way they go in an appliance: options are checked, decimals are exact, states are written and read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import polars as pl

from tallystick.plugin import Batch
from tallystick.usage.aggregators.plugin_aggregator import AnyPlugin
from tallystick.usage.event_frames import POSITION, TIME, VALUE
from tallystick.usage.figure import HIGH, LOW, figure

from .plugin_check import bound_plugin, meter_of

_GROUP: Final = "group"


def figure_of(
    plugin: type[AnyPlugin],
    *,
    options: Mapping[str, object] | None = None,
    field: str = VALUE,
    times: Sequence[int] | None = None,
    **columns: Sequence[Decimal] | Sequence[str],
) -> Decimal | None:
    """Return the figure of these events. `columns` are the plugin's inputs by name; `times` are nanoseconds since 1970."""
    bound = bound_plugin(plugin, meter_of(plugin, options, field))
    given = Batch.of(times=times, **columns)
    if not len(given):
        return bound.nothing
    places = {name: place for name, place in bound.columns.items() if name in columns}
    missing = sorted(bound.columns.keys() - places.keys()) + sorted(columns.keys() - places.keys())
    if missing:
        raise TypeError(f"{plugin.__name__} reads {', '.join(bound.columns)}: give each of them, and nothing else")
    frame = pl.DataFrame([given.column(name).alias(place) for name, place in places.items()])
    frame = frame.with_columns(given.column(TIME).alias(TIME), given.column(POSITION).alias(POSITION))
    events = frame.with_columns(pl.lit("").alias(_GROUP)).lazy()
    (parts,) = (
        bound.read(bound.merge(bound.fold(events, [_GROUP]), [_GROUP]), [_GROUP]).select(HIGH, LOW).collect().rows()
    )
    return figure(*parts)
