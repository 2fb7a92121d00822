"""What a meter's newest events can be grouped by, counted in the files and tails that hold them.

First the place of the oldest event that is looked at is found, then names are counted, and then values, some names at a time: what is held
in memory are the values of those, and never more rows than are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.cancellation import check_cancelled, collected
from tallystick.instant import Instant
from tallystick.meter import Meter
from tallystick.segments.distinct_texts import distinct_texts
from tallystick.segments.event_places import EventPlaces, Place
from tallystick.segments.event_table import PROPERTIES, event_table
from tallystick.segments.property_texts import PropertyTexts
from tallystick.segments.segment_file import SegmentFile
from tallystick.segments.segment_layout import REST
from tallystick.segments.selection import Selection
from tallystick.usage.dimensions import (
    EVENTS_LOOKED_AT_MAX,
    NAMES_MAX,
    Dimension,
    Dimensions,
    DimensionsQuestion,
    DimensionValue,
    check_dimensions_question,
)
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME
from tallystick.usage.event_selection import EventSelection, select_events

from .view import View

_NAMES_AT_ONCE: Final = 8
_ROWS_AT_ONCE: Final = 4_096
_OBJECT: Final = msgspec.json.Decoder(dict[str, str])
_COUNT: Final = "count"


class _Part(Protocol):
    """Some of the events that are looked at."""

    def event_count(self) -> int: ...

    def name_counts(self) -> Counter[str]: ...

    def values(self, names: Sequence[str]) -> pl.DataFrame:
        """Return a String column for each name, and `count`: how many events a row stands for."""
        ...


def dimensions_of(view: View, meter: Meter, question: DimensionsQuestion) -> Dimensions:
    """Return what the meter's newest events have. Raises `InvalidQuestion`."""
    check_dimensions_question(question)
    selection = select_events([meter.filter])
    places = view.newest(
        customer=None,
        event_type=meter.event_type,
        start=question.start,
        end=question.end,
        before=None,
        limit=EVENTS_LOOKED_AT_MAX + 1,
    )
    is_complete = len(places) <= EVENTS_LOOKED_AT_MAX
    places = EventPlaces(places.times[:EVENTS_LOOKED_AT_MAX], places.positions[:EVENTS_LOOKED_AT_MAX])
    if not len(places) or selection.is_empty:
        return Dimensions(events=0, oldest=None, is_complete=is_complete, items=[])
    oldest = Place(int(places.times[-1]), int(places.positions[-1]))
    parts = list(_parts(view, meter, selection, places, oldest, question.end))
    events = sum(part.event_count() for part in parts)
    names = [question.name] if question.name is not None else [CUSTOMER, *_names(parts)]
    items = [
        dimension
        for start in range(0, len(names), _NAMES_AT_ONCE)
        for dimension in _counted(parts, names[start : start + _NAMES_AT_ONCE], values=question.values)
        if dimension.events
    ]
    return Dimensions(events=events, oldest=Instant(oldest.time), is_complete=is_complete, items=items)


def _names(parts: Sequence[_Part]) -> list[str]:
    """Return the most frequent names, sorted."""
    counts: Counter[str] = Counter()
    for part in parts:
        check_cancelled()
        counts.update(part.name_counts())
    # Grouping by `customer` means the event's customer: a property of that name cannot be asked for.
    counts.pop(CUSTOMER, None)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:NAMES_MAX]
    return sorted(name for name, count in frequent if count)


def _counted(parts: Sequence[_Part], names: Sequence[str], *, values: int) -> list[Dimension]:
    counts = {name: Counter[str]() for name in names}
    for part in parts:
        check_cancelled()
        frame = part.values(names)
        for name in names:
            grouped = frame.lazy().group_by(pl.col(_label(name)).alias("value")).agg(pl.col(_COUNT).sum())
            for value, count in collected(grouped.drop_nulls("value")).iter_rows():
                counts[name][value] += count
    return [_dimension(name, counts[name], values) for name in names]


def _dimension(name: str, counts: Counter[str], values: int) -> Dimension:
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:values]
    listed = [DimensionValue(value, count) for value, count in frequent]
    return Dimension(name, sum(counts.values()), len(counts), listed)


def _parts(
    view: View, meter: Meter, selection: EventSelection, places: EventPlaces, oldest: Place, end: Instant
) -> Iterator[_Part]:
    voided = view.voids.as_of(view.head.position)
    chosen = Selection(
        event_type=meter.event_type,
        start=oldest.time,
        end=end,
        customers=selection.customers,
        last_position=view.head.position,
        voided=voided,
    )
    for file in view.segments.touched(chosen):
        yield _FilePart(file, chosen, selection, oldest)
    rows = _tail_rows(view, np.setdiff1d(places.positions, voided))
    if rows is not None:
        yield _TailPart(rows, selection)


def _tail_rows(view: View, positions: npt.NDArray[np.int64]) -> pl.DataFrame | None:
    """Return customer and properties of those of the sorted positions that are in a tail; None for none of them."""
    found: list[pl.DataFrame] = []
    for block in (block for tail in view.tails for block in tail.events()):
        first, end = np.searchsorted(positions, (block.first_position, block.end_position))
        if end > first:
            rows = positions[first:end] - block.first_position
            found.append(event_table([block]).select(CUSTOMER, PROPERTIES)[rows])
    return pl.concat(found) if found else None


class _FilePart:
    """The rows of one segment file."""

    def __init__(self, file: SegmentFile, chosen: Selection, selection: EventSelection, oldest: Place) -> None:
        self._file, self._chosen, self._selection, self._oldest = file, chosen, selection, oldest

    def event_count(self) -> int:
        return int(collected(self._rows(()).select(pl.len())).item())

    def name_counts(self) -> Counter[str]:
        promoted, counts = self._file.entry.properties, Counter[str]()
        for start in range(0, len(promoted), _NAMES_AT_ONCE):
            names = promoted[start : start + _NAMES_AT_ONCE]
            counted = self._rows(names).select(pl.col(PROPERTY_PREFIX + name).count() for name in names)
            counts.update(dict(zip(names, collected(counted).row(0), strict=True)))
        if self._file.entry.has_rest:
            rows = self._narrowed(self._file.frame_with_rest(self._chosen, self._filter_names(())))
            rests = collected(rows.select(REST).drop_nulls().group_by(REST).agg(pl.len().alias(_COUNT)))
            for piece in rests.iter_slices(_ROWS_AT_ONCE):
                check_cancelled()
                for text, count in piece.iter_rows():
                    counts.update(dict.fromkeys(_OBJECT.decode(text), count))
        return counts

    def values(self, names: Sequence[str]) -> pl.DataFrame:
        labels = [pl.col(_label(name)) for name in names]
        return collected(self._rows(names).select(*labels, pl.lit(1, pl.Int64).alias(_COUNT)))

    def _rows(self, names: Sequence[str]) -> pl.LazyFrame:
        return self._narrowed(self._file.frame(self._chosen, self._filter_names(names)))

    def _filter_names(self, names: Sequence[str]) -> list[str]:
        return sorted(self._selection.property_names.union(names) - {CUSTOMER})

    def _narrowed(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        is_looked_at = (pl.col(TIME) > self._oldest.time) | (pl.col(POSITION) >= self._oldest.position)
        return self._selection.narrow(frame.filter(is_looked_at))


class _TailPart:
    """Rows that are in no file: each distinct object of properties and customer once."""

    def __init__(self, table: pl.DataFrame, selection: EventSelection) -> None:
        if selection.customers is not None:
            table = table.filter(pl.col(CUSTOMER).is_in(pl.Series(selection.customers, dtype=pl.String).implode()))
        distinct = distinct_texts(table[PROPERTIES])
        self._texts, codes = PropertyTexts(distinct.texts), distinct.codes
        rows = table.select(CUSTOMER).with_columns(pl.Series("code", codes))
        if filter_names := sorted(selection.property_names):
            filtered = rows.hstack(self._texts.columns(filter_names)[codes])
            rows = collected(selection.narrow(filtered.lazy())).select(CUSTOMER, "code")
        self._rows = rows.group_by(CUSTOMER, "code").agg(pl.len().cast(pl.Int64).alias(_COUNT))
        self._object_count = len(distinct.texts)

    def event_count(self) -> int:
        return int(self._rows[_COUNT].sum())

    def name_counts(self) -> Counter[str]:
        weights = np.zeros(self._object_count, np.int64)
        np.add.at(weights, self._rows["code"].to_numpy(), self._rows[_COUNT].to_numpy())
        return Counter(self._texts.name_counts(weights))

    def values(self, names: Sequence[str]) -> pl.DataFrame:
        properties = self._texts.columns([name for name in names if name != CUSTOMER])
        rows = self._rows.select(CUSTOMER, _COUNT)
        return rows.hstack(properties[self._rows["code"]]) if properties.width else rows


def _label(name: str) -> str:
    return CUSTOMER if name == CUSTOMER else PROPERTY_PREFIX + name
