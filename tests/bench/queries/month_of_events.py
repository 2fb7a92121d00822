"""The events that questions are measured over: a month of 5,000 customers by a Zipf law, 20 endpoints, 3 regions, one late event in 50.

Columns rather than JSON: decoding is what `make bench` measures. The same seed and size give the same events, in the order they arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl

from tallystick.instant import NS_PER_DAY, NS_PER_MS, NS_PER_S

CUSTOMERS: Final = 5_000
ENDPOINTS: Final = tuple(f"/v1/endpoint-{number:02d}" for number in range(20))
REGIONS: Final = ("eu-central", "us-east", "ap-south")
DAYS: Final = 30
START: Final = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * NS_PER_S
END: Final = START + DAYS * NS_PER_DAY
EVENT_TYPE: Final = "api_call"
LATE_SHARE: Final = 1 / 50
LATE_DAYS_MAX: Final = 7
SEED: Final = 41

_CHUNK_EVENTS: Final = 200_000


def customer_key(rank: int) -> str:
    """Return the customer of a rank: 0 sends the most events. Keys do not sort by rank."""
    return f"customer-{(rank * 2_654_435_761) % 1_000_003:06d}"


def month_of_events(count: int) -> Iterator[pl.DataFrame]:
    """Yield the events in order of arrival, with columns `time_ms`, `customer`, `cents`, `endpoint` and `region`."""
    random = np.random.default_rng(SEED)
    for first in range(0, count, _CHUNK_EVENTS):
        size = min(_CHUNK_EVENTS, count - first)
        arrived = START + (np.arange(first, first + size) * ((END - START) / count)).astype(np.int64)
        yield _events(random, arrived)


def later_events(count: int) -> pl.DataFrame:
    """Return events that come after the month was loaded, with times all over its last day."""
    random = np.random.default_rng(SEED + 1)
    return _events(random, np.sort(END - random.integers(1, NS_PER_DAY, count)))


def _events(random: np.random.Generator, arrived: np.ndarray) -> pl.DataFrame:
    size = len(arrived)
    weights = 1 / np.arange(1, CUSTOMERS + 1)
    ranks = np.searchsorted(np.cumsum(weights / weights.sum()), random.random(size)).clip(max=CUSTOMERS - 1)
    is_late = random.random(size) < LATE_SHARE
    late_by = (random.random(size) * LATE_DAYS_MAX * NS_PER_DAY).astype(np.int64)
    times = np.maximum(np.where(is_late, arrived - late_by, arrived), START) // NS_PER_MS
    customers = pl.Series([customer_key(rank) for rank in range(CUSTOMERS)])
    return pl.DataFrame(
        {
            "time_ms": times,
            "customer": customers.gather(ranks),
            "cents": random.integers(0, 500, size),
            "endpoint": pl.Series(ENDPOINTS).gather(random.integers(0, len(ENDPOINTS), size)),
            "region": pl.Series(REGIONS).gather(random.integers(0, len(REGIONS), size)),
        }
    )
