"""Events of the log as one Polars table: what segments are written from and what the live tail answers from.

Promises: values are exact decimals, properties the canonical JSON they came with; rows keep the order of the log.
Does not: hold ids, sources or arrival times: a page of raw events fetches those from the log by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np
import polars as pl

from tallystick import packed_events
from tallystick.event_columns import EventColumns
from tallystick.usage.event_frames import CUSTOMER, POSITION, TIME, VALUE, VALUE_TYPE

from .packed_table import EventParts, parts_of

TYPE: Final = "type"
PROPERTIES: Final = "properties"

TABLE_SCHEMA: Final = pl.Schema(
    {
        POSITION: pl.Int64(),
        TIME: pl.Int64(),
        TYPE: pl.String(),
        CUSTOMER: pl.String(),
        VALUE: VALUE_TYPE,
        PROPERTIES: pl.String(),
    }
)

# Making a Polars column from Python strings holds the interpreter: 8,192 of them for 0.4 ms, so that the writer
# beside us is not held up. One call for each tiny block would cost more than its rows.
_ROWS_A_CALL: Final = 8_192


def event_table(events: Iterable[EventColumns]) -> pl.DataFrame:
    """Return all rows in the given order, in one chunk.

    Costs a tenth of a microsecond an event where they are packed, else some 0.3 µs, a third of it holding the interpreter.
    """
    events = list(events)
    if (packed := parts_of(events)) is not None and packed.rows:
        return _packed_table(events, packed)
    parts = [_part(group) for group in _groups(events)]
    return pl.concat(parts, rechunk=True) if parts else pl.DataFrame(schema=TABLE_SCHEMA)


def _packed_table(events: Sequence[EventColumns], packed: EventParts) -> pl.DataFrame:
    return pl.DataFrame(
        [
            *_numbers(events),
            packed.texts(TYPE, packed_events.TYPES),
            packed.texts(CUSTOMER, packed_events.CUSTOMERS),
            packed.values(VALUE),
            packed.texts(PROPERTIES, packed_events.PROPERTIES),
        ]
    )


def _numbers(events: Sequence[EventColumns]) -> list[pl.Series]:
    positions = [np.arange(columns.first_position, columns.end_position, dtype=np.int64) for columns in events]
    times = [columns.times for columns in events]
    return [pl.Series(POSITION, np.concatenate(positions)), pl.Series(TIME, np.concatenate(times))]


def properties_of(events: Iterable[EventColumns]) -> pl.Series:
    """Return the properties alone, as in the table."""
    events = list(events)
    if (packed := parts_of(events)) is not None and packed.rows:
        return packed.texts(PROPERTIES, packed_events.PROPERTIES)
    parts = [_objects(group) for group in _groups(events)]
    return pl.concat(parts) if parts else pl.Series(PROPERTIES, dtype=pl.String)


def _objects(group: Sequence[EventColumns]) -> pl.Series:
    objects = list(chain.from_iterable(columns.properties for columns in group))
    return pl.Series(PROPERTIES, objects, dtype=pl.Binary).cast(pl.String)


def _groups(events: Iterable[EventColumns]) -> Iterator[list[EventColumns]]:
    """Gather small columns until a call is worth its cost, and cut large ones."""
    group: list[EventColumns] = []
    rows = 0
    for columns in events:
        for piece in _pieces(columns):
            if rows + len(piece) > _ROWS_A_CALL and group:
                yield group
                group, rows = [], 0
            group.append(piece)
            rows += len(piece)
    if rows:
        yield group


def _pieces(columns: EventColumns) -> Iterator[EventColumns]:
    if len(columns) <= _ROWS_A_CALL:
        yield columns
        return
    for start in range(0, len(columns), _ROWS_A_CALL):
        yield columns.piece(start, min(start + _ROWS_A_CALL, len(columns)))


def _part(group: Sequence[EventColumns]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            *_numbers(group),
            pl.Series(TYPE, list(chain.from_iterable(columns.types for columns in group)), dtype=pl.String),
            pl.Series(CUSTOMER, list(chain.from_iterable(columns.customers for columns in group)), dtype=pl.String),
            pl.Series(VALUE, list(chain.from_iterable(columns.values for columns in group)), dtype=pl.String).cast(
                VALUE_TYPE
            ),
            _objects(group),
        ]
    )
