"""Which aggregations there are, by the name that meters call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tallystick.errors import InvalidDefinition
from tallystick.meter import Meter

from .aggregator import Aggregator
from .avg import Avg
from .count import Count
from .latest import Latest
from .max import Max
from .min import Min
from .sum import Sum
from .unique import Unique

BUILT_IN: Final[tuple[type[Aggregator], ...]] = (Count, Sum, Min, Max, Avg, Latest, Unique)

# The fields of a meter that only some aggregations understand, each with what it is when it was not given.
_OPTIONS: Final[dict[str, object]] = {"fields": (), "timeout": None, "series": None, "statistic": None, "options": {}}


def aggregators() -> Mapping[str, type[Aggregator]]:
    """Return every aggregation by its name."""
    return {aggregator.name: aggregator for aggregator in BUILT_IN}


def bind_aggregator(meter: Meter) -> Aggregator:
    """Return the meter's aggregation, ready to fold. Raises `InvalidDefinition` where it is unknown or refuses the meter."""
    known = aggregators()
    aggregator = known.get(meter.aggregation)
    if aggregator is None:
        raise InvalidDefinition(
            "aggregation", f"{meter.aggregation[:64]!a} is unknown; there are {', '.join(sorted(known))}"
        )
    for option, absent in _OPTIONS.items():
        if option not in aggregator.options and getattr(meter, option) != absent:
            raise InvalidDefinition(option, f"{aggregator.name} has no such option: leave it out")
    return aggregator(meter)
