"""Aggregations, each three functions over a state: see `aggregator` for the rules, `registry` for the list."""

from .aggregator import EVENTS, Aggregator
from .aggregator_list import ListedAggregator, listed_aggregators
from .registry import aggregators, bind_aggregator, check_aggregation, installed_plugins, state_format
from .series_aggregator import SeriesAggregator

__all__ = [
    "EVENTS",
    "Aggregator",
    "ListedAggregator",
    "SeriesAggregator",
    "aggregators",
    "bind_aggregator",
    "check_aggregation",
    "installed_plugins",
    "listed_aggregators",
    "state_format",
]
