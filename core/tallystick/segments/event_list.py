"""Events that stand in no log, as a source of frames: so that a meter can be asked about somebody else's list.

Promises: answers as `EventFrames` says, every event counting, positions as they were given. Memory: the events as one table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tallystick.event import Position
from tallystick.event_batch import EventLists
from tallystick.event_columns import EventColumns
from tallystick.instant import Instant
from tallystick.usage.event_frames import CUSTOMER, POSITION, TIME, VALUE

from .distinct_texts import distinct_texts
from .event_table import PROPERTIES, TABLE_SCHEMA, TYPE, event_table
from .property_texts import PropertyTexts


class EventList:
    """An `EventFrames` over the events that were added."""

    def __init__(self) -> None:
        self._tables: list[pl.DataFrame] = []

    def add(self, events: EventLists, rows: Sequence[int], positions: Sequence[int]) -> None:
        """Add these rows; each stands at its position, which no other event has."""
        if not rows:
            return
        columns = EventColumns(
            first_position=0,
            sources=[""] * len(rows),
            ids=[""] * len(rows),
            types=[events.types[row] for row in rows],
            customers=[events.customers[row] for row in rows],
            times=events.times[rows],
            times_given=events.times_given[rows],
            received_at=events.times[rows],
            values=[events.values[row] for row in rows],
            properties=[events.properties[row] for row in rows],
        )
        table = event_table([columns])
        self._tables.append(table.with_columns(pl.Series(POSITION, np.array(positions, np.int64))))

    def frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,
    ) -> list[pl.LazyFrame]:
        """Do as `EventFrames.frames` says."""
        is_meant = (pl.col(TYPE) == event_type) & (pl.col(TIME) >= start) & (pl.col(TIME) < end)
        if customers is not None:
            is_meant &= pl.col(CUSTOMER).is_in(list(customers))
        if as_of is not None:
            is_meant &= pl.col(POSITION) <= as_of
        tables = [table.filter(is_meant) for table in self._tables]
        rows = pl.concat(tables) if tables else pl.DataFrame(schema=TABLE_SCHEMA)
        columns = rows.select(POSITION, TIME, CUSTOMER, VALUE)
        if properties:
            objects = distinct_texts(rows[PROPERTIES])
            columns = columns.hstack(PropertyTexts(objects.texts).columns(properties)[objects.codes])
        return [columns.lazy()]
