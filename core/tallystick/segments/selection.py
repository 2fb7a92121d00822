"""Which events a question is about, as segments and the live tail both understand it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.usage.event_frames import CUSTOMER, POSITION, TIME

from .event_table import TYPE
from .segment_entry import SegmentEntry


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """`start <= time < end`, up to and with `last_position`; None leaves that side open.

    `voided` are sorted positions to leave out.
    """

    event_type: str | None = None
    start: int | None = None
    end: int | None = None
    customers: Sequence[str] | None = None
    last_position: int | None = None
    voided: npt.NDArray[np.int64] | None = None

    def may_touch(self, entry: SegmentEntry) -> bool:
        """Whether a row of the file may be meant, as far as its entry tells."""
        return (
            entry.holds_type(self.event_type)
            and (self.start is None or entry.last_time >= self.start)
            and (self.end is None or entry.first_time < self.end)
            and (self.last_position is None or entry.first_position <= self.last_position)
            and (self.customers is None or len(self.customers) > 0)
        )

    def predicate(self, entry: SegmentEntry) -> list[pl.Expr]:
        """Return what rows of the file must fulfil, in the units of the file, without what all of them fulfil."""
        unit = entry.time_unit_ns
        parts: list[pl.Expr] = []
        if self.event_type is not None and entry.types != (self.event_type,):
            parts.append(pl.col(TYPE) == self.event_type)
        if self.customers is not None:
            parts += _customer_is_one_of(self.customers)
        # -(-a // b) is the quotient rounded up: the first multiple of the unit that is not before the bound.
        if self.start is not None and entry.first_time < self.start:
            parts.append(pl.col(TIME) >= -(-self.start // unit) - entry.time_start)
        if self.end is not None and entry.last_time >= self.end:
            parts.append(pl.col(TIME) < -(-self.end // unit) - entry.time_start)
        if self.last_position is not None and entry.last_position > self.last_position:
            parts.append(pl.col(POSITION) <= self.last_position)
        return parts + self._not_voided(entry.first_position, entry.last_position)

    def table_predicate(self, *, first_position: int, last_position: int) -> list[pl.Expr]:
        """Return what rows of an event table with these positions must fulfil."""
        parts: list[pl.Expr] = []
        if self.event_type is not None:
            parts.append(pl.col(TYPE) == self.event_type)
        if self.customers is not None:
            parts += _customer_is_one_of(self.customers)
        if self.start is not None:
            parts.append(pl.col(TIME) >= self.start)
        if self.end is not None:
            parts.append(pl.col(TIME) < self.end)
        if self.last_position is not None and last_position > self.last_position:
            parts.append(pl.col(POSITION) <= self.last_position)
        return parts + self._not_voided(first_position, last_position)

    def _not_voided(self, first_position: int, last_position: int) -> list[pl.Expr]:
        if self.voided is None:
            return []
        start, end = np.searchsorted(self.voided, (first_position, last_position + 1))
        if start == end:
            return []
        positions = pl.Series(self.voided[start:end])
        return [~pl.col(POSITION).is_in(positions.implode())]


def _customer_is_one_of(customers: Sequence[str]) -> list[pl.Expr]:
    if len(customers) == 1:
        return [pl.col(CUSTOMER) == customers[0]]
    # The bounds let whole row groups be skipped by their statistics, which `is_in` alone does not.
    return [
        pl.col(CUSTOMER).is_between(pl.lit(min(customers)), pl.lit(max(customers))),
        pl.col(CUSTOMER).is_in(pl.Series(customers, dtype=pl.String).implode()),
    ]
