"""Which aggregations there are, by the name that meters call them: built-in ones, and those of installed plugins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from tallystick.errors import InvalidDefinition, PluginMissing
from tallystick.meter import Meter

from .aggregator import Aggregator
from .avg import Avg
from .count import Count
from .duration import Duration
from .latest import Latest
from .level import Level
from .max import Max
from .min import Min
from .plugin_aggregator import PluginAggregator
from .plugin_entry_points import InstalledPlugins, find_plugins
from .running_total import RunningTotal
from .sum import Sum
from .unique import Unique

BUILT_IN: Final[tuple[type[Aggregator], ...]] = (
    Count,
    Sum,
    Min,
    Max,
    Avg,
    Latest,
    Unique,
    RunningTotal,
    Level,
    Duration,
)

# The fields of a meter that only some aggregations understand, each with what it is when it was not given.
_OPTIONS: Final[dict[str, object]] = {"fields": (), "timeout": None, "series": None, "statistic": None, "options": {}}


def aggregators() -> Mapping[str, type[Aggregator]]:
    """Return every built-in aggregation by its name."""
    return {aggregator.name: aggregator for aggregator in BUILT_IN}


@cache
def installed_plugins() -> InstalledPlugins:
    """Return the plugins that were installed when this was first asked; what `sys.path` has by then is looked through once."""
    return find_plugins(aggregators().keys())


def check_aggregation(name: str) -> None:
    """Raise `InvalidDefinition` unless there is an aggregation of this name; no plugin is imported for it."""
    known = [*aggregators(), *installed_plugins().names]
    if name not in known:
        raise InvalidDefinition("aggregation", f"{name[:64]!a} is unknown; there are {', '.join(sorted(known))}")


def state_format(meter: Meter) -> str:
    """Return what else, beside the meter, states that were kept have to agree in to be merged: a plugin's package and state versions.

    Raises as `bind_aggregator` does.
    """
    aggregator = _aggregator(meter.aggregation)
    return aggregator.state_format() if issubclass(aggregator, PluginAggregator) else ""


def bind_aggregator(meter: Meter) -> Aggregator:
    """Return the meter's aggregation, ready to fold.

    Raises `InvalidDefinition` where it refuses the meter, `PluginMissing` where it is not here any more, `PluginFailed` where it cannot be
    imported.
    """
    aggregator = _aggregator(meter.aggregation)
    for option, absent in _OPTIONS.items():
        if option not in aggregator.options and getattr(meter, option) != absent:
            raise InvalidDefinition(option, f"{aggregator.name} has no such option: leave it out")
    return aggregator(meter)


def _aggregator(name: str) -> type[Aggregator]:
    aggregator = aggregators().get(name)
    if aggregator is not None:
        return aggregator
    plugin = installed_plugins().named(name)
    if plugin is None:
        raise PluginMissing(name[:64])
    return plugin.load().aggregator
