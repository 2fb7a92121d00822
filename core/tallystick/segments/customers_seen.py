"""Customers as events name them, page by page: how many events each has, and the time of its latest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from tallystick.customer import CustomerSeen
from tallystick.instant import Instant
from tallystick.usage.event_frames import CUSTOMER, TIME

EVENT_COUNT: Final = "event_count"


def count_customers(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return `customer`, `event_count` and the latest `time`, one row a customer, of a frame with `customer` and `time`."""
    return frame.group_by(CUSTOMER).agg(pl.len().cast(pl.Int64).alias(EVENT_COUNT), pl.col(TIME).max())


def key_range(*, after: str | None, last: str | None) -> list[pl.Expr]:
    """Return what rows must fulfil for `after < key <= last`; None leaves that side open."""
    lower = [] if after is None else [pl.col(CUSTOMER) > after]
    return lower if last is None else [*lower, pl.col(CUSTOMER) <= last]


def add_up(counts: pl.LazyFrame) -> pl.LazyFrame:
    """Return counts of several places added up by customer."""
    return counts.group_by(CUSTOMER).agg(pl.col(EVENT_COUNT).sum(), pl.col(TIME).max())


def as_customers(counts: pl.DataFrame) -> list[CustomerSeen]:
    """Return rows of counts as objects."""
    return [
        CustomerSeen(key=key, event_count=event_count, last_event_at=Instant(time))
        for key, event_count, time in counts.select(CUSTOMER, EVENT_COUNT, TIME).iter_rows()
    ]


def first_customers(pages: Iterable[list[CustomerSeen]], *, limit: int) -> list[CustomerSeen]:
    """Return the first customers by key over pages of several places, each of which was asked for at least `limit`."""
    totals: dict[str, CustomerSeen] = {}
    for page in pages:
        for seen in page:
            known = totals.get(seen.key)
            if known is not None:
                seen = CustomerSeen(  # noqa: PLW2901 - the sum takes the place of its part
                    key=seen.key,
                    event_count=known.event_count + seen.event_count,
                    last_event_at=max(known.last_event_at, seen.last_event_at),
                )
            totals[seen.key] = seen
    return [totals[key] for key in sorted(totals)[:limit]]
