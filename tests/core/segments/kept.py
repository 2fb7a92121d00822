"""Segments on disk and a tail in memory together, as the engine keeps them; cut and merged as a test says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl

from tallystick.customer import CustomerSeen
from tallystick.event_columns import EventColumns
from tallystick.segments import (
    LiveTail,
    MergePlan,
    SegmentSet,
    first_customers,
    merge_segments,
    newest_of,
    write_segments,
)
from tallystick.segments.event_places import EventPlaces, Place

ALL_POSITIONS = 1 << 62


class Kept:
    """Use it in a `with`: the directory is a temporary one."""

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory()
        self.directory = Path(self._temporary.name)
        self.segments = SegmentSet(self.directory, ())
        self.tail = LiveTail()
        self.next_number = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._temporary.cleanup()

    def write(self, events: Sequence[EventColumns]) -> None:
        added = write_segments(self.directory, events, next_number=self.next_number)
        self.next_number += len(added)
        self.segments = self.segments.with_changes(added=added)

    def merge(self, chosen: Sequence[int], *, file_rows_max: int) -> None:
        """Merge the files of these indexes, where there are such."""
        entries = [self.segments.entries[index] for index in sorted(set(chosen)) if index < len(self.segments.entries)]
        if not entries:
            return
        plan = MergePlan(tuple(entries), 1 + max(entry.level for entry in entries))
        merged = merge_segments(self.directory, plan, next_number=self.next_number, file_rows_max=file_rows_max)
        self.next_number += len(merged)
        before = self.segments
        self.segments = before.with_changes(added=merged, removed=entries)
        before.retire(entries)

    def frames(
        self,
        *,
        event_type: str,
        start: int,
        end: int,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: int | None = None,
        voided: Sequence[int] = (),
    ) -> list[pl.LazyFrame]:
        positions = np.array(sorted(voided), np.int64)
        return [
            *self.segments.frames(
                event_type=event_type,
                start=start,
                end=end,
                properties=properties,
                customers=customers,
                as_of=as_of,
                voided=positions,
            ),
            *self.tail.frames(
                head=ALL_POSITIONS if as_of is None else as_of,
                event_type=event_type,
                start=start,
                end=end,
                properties=properties,
                customers=customers,
                voided=positions,
            ),
        ]

    def newest(
        self,
        *,
        customer: str | None,
        event_type: str | None,
        start: int | None,
        end: int | None,
        before: Place | None,
        limit: int,
    ) -> EventPlaces:
        in_segments = self.segments.newest(
            customer=customer, event_type=event_type, start=start, end=end, before=before, limit=limit
        )
        in_tail = self.tail.newest(
            head=ALL_POSITIONS,
            customer=customer,
            event_type=event_type,
            start=start,
            end=end,
            before=before,
            limit=limit,
        )
        return newest_of([in_segments, in_tail], limit=limit)

    def customers(self, *, after: str | None, limit: int) -> list[CustomerSeen]:
        return first_customers(
            [
                self.segments.customers(after=after, limit=limit),
                self.tail.customers(head=ALL_POSITIONS, after=after, limit=limit),
            ],
            limit=limit,
        )
