"""What came into the log after a position: new events as frames, and whose events were voided.

A look at signals begins here: nobody else's figures can have moved. Events come from the tail in memory, or after a restart from segments.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import polars as pl

from tallystick.cancellation import collected
from tallystick.event import Position
from tallystick.event_columns import EventColumns
from tallystick.instant import EARLIEST, LATEST, Instant
from tallystick.segments.selection import Selection
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE

from .view import View


class FreshEvents:
    """An `EventFrames` of the events past `after` that count, up to the view's head; each type is read once.

    `names` are the properties that may be asked for, by event type.
    """

    def __init__(
        self,
        view: View,
        *,
        after: int,
        names: Mapping[str, Collection[str]],
        columns_at: Callable[[int], EventColumns],
    ) -> None:
        self._view, self._after, self._names = view, after, names
        self._columns_at = columns_at
        self._read: dict[str, pl.DataFrame] = {}
        self._voided: dict[str, set[str]] | None = None

    def frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,  # noqa: ARG002 - of the protocol
    ) -> list[pl.LazyFrame]:
        """Answer as `EventFrames` says, for the new events alone."""
        columns = [POSITION, TIME, CUSTOMER, VALUE, *(PROPERTY_PREFIX + name for name in properties)]
        rows = self._events(event_type).lazy().filter(pl.col(TIME).is_between(start, end, closed="left"))
        if customers is not None:
            rows = rows.filter(pl.col(CUSTOMER).is_in(pl.Series(customers, dtype=pl.String).implode()))
        return [rows.select(columns)]

    def voided(self, event_type: str) -> set[str]:
        """Return the customers of whom an event of the type was voided."""
        if self._voided is None:
            self._voided = {}
            voids = self._view.voids
            targets: list[int] = voids.targets[voids.since > self._after].tolist()
            for position in targets:
                columns = self._columns_at(position)
                row = position - columns.first_position
                self._voided.setdefault(columns.types[row], set()).add(columns.customers[row])
        return self._voided.get(event_type, set())

    def times(self, event_type: str) -> tuple[int, int] | None:
        """Return the first and the last time of the new events of a type; None where there are none."""
        rows = self._events(event_type)
        return None if not rows.height else (int(rows[TIME].min()), int(rows[TIME].max()))  # pyright: ignore[reportArgumentType]

    def late(self, event_type: str, *, before: Instant) -> set[str]:
        """Return the customers of whom a new event of the type happened before the instant."""
        rows = self._events(event_type)
        return set(rows.filter(pl.col(TIME) < before)[CUSTOMER].unique().to_list())

    def _events(self, event_type: str) -> pl.DataFrame:
        found = self._read.get(event_type)
        if found is None:
            found = self._read[event_type] = self._collected(event_type)
        return found

    def _collected(self, event_type: str) -> pl.DataFrame:
        view, names = self._view, sorted(self._names.get(event_type, ()))
        voided = view.voids.as_of(view.head.position)
        selection = Selection(
            event_type=event_type, start=EARLIEST, end=LATEST, last_position=view.head.position, voided=voided
        )
        frames = [
            file.frame(selection, names)
            for file in view.segments.touched(selection)
            if file.entry.last_position > self._after
        ]
        for tail in view.tails:
            if tail.last_position is not None and tail.last_position > self._after:
                frames += tail.frames(
                    head=view.head.position,
                    event_type=event_type,
                    start=EARLIEST,
                    end=LATEST,
                    properties=names,
                    voided=voided,
                )
        if not frames:
            return _nothing(names)
        return collected(pl.concat(frames).filter(pl.col(POSITION) > self._after))


def _nothing(names: Sequence[str]) -> pl.DataFrame:
    types: dict[str, pl.DataType] = {
        POSITION: pl.Int64(),
        TIME: pl.Int64(),
        CUSTOMER: pl.String(),
        VALUE: VALUE_TYPE,
    }
    return pl.DataFrame(schema={**types, **{PROPERTY_PREFIX + name: pl.String() for name in names}})
