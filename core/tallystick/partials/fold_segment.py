"""Fold one segment into states: as an aggregator would, in a fraction of the time where the segment's layout allows it.

Promises: the states are those of the aggregator, keys and columns alike; whichever way was taken, reading them gives the same figures.
Two things make it quick. Values lie as whole numbers of one scale, and adding those up cannot overflow where a segment has a million
rows, so that decimals are made of states and not of events. And rows are sorted by customer and time: groups by customer are runs of
rows, found by comparing neighbours, where hashing every row took four times as long. Neither is needed for the figures to be right: a
run that were cut in two would be two states of one group, which merging makes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.amount import SCALE
from tallystick.cancellation import collected
from tallystick.segments.segment_file import SegmentFile
from tallystick.segments.selection import Selection
from tallystick.usage.aggregators import EVENTS, Aggregator
from tallystick.usage.aggregators.avg import Avg
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.max import Max
from tallystick.usage.aggregators.min import Min
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.aggregators.unique import Unique
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE
from tallystick.usage.figure import parts_of
from tallystick.usage.operand import property_names
from tallystick.usage.windows import Windows

from .buckets import Edges
from .folding import Folding

PLACE: Final = "place"
_NUMBER: Final = "number"
_INT64_MAX: Final = 2**63 - 1
_HALF_BITS: Final = 32
_HALF_MASK: Final = (1 << _HALF_BITS) - 1


def fold_segment(file: SegmentFile, folding: Folding, selection: Selection, edges: Edges) -> pl.DataFrame:
    """Return the states of the selected rows for each combination of the folding's columns and `PLACE` (Int32).

    `PLACE` is the window of `edges` that an event lies in; all selected rows must lie in one.
    """
    aggregator = folding.aggregator
    rows = _selected(file, folding, selection)
    narrow = _narrow(aggregator, file)
    if narrow is None:
        return _folded(file, folding, aggregator, rows, edges)
    names = {**folding.by_columns, **narrow.keys}
    if set(names.values()) <= {CUSTOMER}:
        states = narrow.states(_fold_runs(rows, file, edges, names, narrow))
        return states if names else aggregator.merge(states.lazy(), [PLACE]).collect()
    keys = [_key(file, name).alias(column) for column, name in names.items()]
    # A column at least: keys and place may all be literals, and a selection of those alone has one row.
    needed = rows.select(*keys, _place(file, edges), VALUE if narrow.how else TIME)
    states = needed.group_by(*names, PLACE).agg(pl.len().cast(pl.Int64).alias(EVENTS), *narrow.folded())
    return narrow.states(_as_texts(collected(states)))


class _Narrow(msgspec.Struct, frozen=True):
    """How an aggregation folds values that lie as whole numbers: `how` says what becomes of them, `keys` what else tells groups apart.

    `column` is where a state has the number, empty for the two parts of a sum.
    """

    how: str = ""
    column: str = ""
    scale: int = 0
    keys: dict[str, str] = {}

    def folded(self) -> list[pl.Expr]:
        """Return the number of each group; sums in 128 bits, which no segment's rows can overflow."""
        match self.how:
            case "sum":
                return [pl.col(VALUE).cast(pl.Int128).sum().alias(_NUMBER)]
            case "min":
                return [pl.col(VALUE).min().alias(_NUMBER)]
            case "max":
                return [pl.col(VALUE).max().alias(_NUMBER)]
            case _:
                return []

    def states(self, folded: pl.DataFrame) -> pl.DataFrame:
        """Return the states in the columns of the aggregator."""
        if not self.how:
            return folded
        units = pl.col(_NUMBER).cast(pl.Int128) * pl.lit(10 ** (SCALE - self.scale), dtype=pl.Int128)
        if self.how == "sum":
            return folded.with_columns(*parts_of(units)).drop(_NUMBER)
        return folded.with_columns(units.reinterpret(dtype=VALUE_TYPE).alias(self.column)).drop(_NUMBER)


def _narrow(aggregator: Aggregator, file: SegmentFile) -> _Narrow | None:
    """Return how to fold whole numbers, None where the aggregation or the segment is none for it."""
    fields = {operand.field for operand in aggregator.operands}
    if isinstance(aggregator, Count) and fields <= {VALUE, CUSTOMER}:
        return _Narrow()
    if isinstance(aggregator, Unique) and fields == {CUSTOMER}:
        return _Narrow(keys={operand.column: CUSTOMER for operand in aggregator.operands})
    scale = file.entry.value_scale
    if scale is None or fields != {VALUE}:
        return None
    if isinstance(aggregator, Sum | Avg):
        return _Narrow(how="sum", scale=scale)
    if isinstance(aggregator, Min | Max):
        how = "min" if isinstance(aggregator, Min) else "max"
        return _Narrow(how=how, column=aggregator.operands[0].column, scale=scale)
    return None


def _fold_runs(
    rows: pl.LazyFrame, file: SegmentFile, edges: Edges, names: Mapping[str, str], narrow: _Narrow
) -> pl.DataFrame:
    """Fold each run of rows with one customer and one place. Whatever `names` there are, all of them hold the customer."""
    frame = rows.select(CUSTOMER, TIME, *([VALUE] if narrow.how else [])).collect(engine="streaming").rechunk()
    customers, places = frame[CUSTOMER], _places(file, frame[TIME].to_numpy(), edges)
    is_start = np.zeros(frame.height, np.bool_)
    is_start[:1] = True
    is_start[(customers != customers.shift(1)).arg_true().to_numpy()] = True
    if places is not None:
        is_start[1:] |= places[1:] != places[:-1]
    starts = np.flatnonzero(is_start)
    counts = np.diff(np.append(starts, frame.height))
    columns = {column: customers.gather(starts) for column in names}
    found = np.zeros(len(starts), np.int32) if places is None else places[starts]
    columns |= {PLACE: pl.Series(found, dtype=pl.Int32), EVENTS: pl.Series(counts, dtype=pl.Int64)}
    if narrow.how:
        columns[_NUMBER] = _reduced(frame[VALUE], starts, narrow.how)
    return pl.DataFrame(columns)


def _reduced(values: pl.Series, starts: npt.NDArray[np.int64], how: str) -> pl.Series:
    """Return one number for each run, exactly."""
    if not len(starts):
        return pl.Series([], dtype=pl.Int64)
    numbers = values.to_numpy()
    if how == "min":
        return pl.Series(np.minimum.reduceat(numbers, starts), dtype=pl.Int64)
    if how == "max":
        return pl.Series(np.maximum.reduceat(numbers, starts), dtype=pl.Int64)
    largest = max(abs(int(numbers.min())), abs(int(numbers.max())))
    if largest * len(numbers) <= _INT64_MAX:
        return pl.Series(np.add.reduceat(numbers, starts, dtype=np.int64), dtype=pl.Int64)
    # Two halves, neither of which can overflow, put together in 128 bits.
    wide = numbers.astype(np.int64)
    high, low = np.add.reduceat(wide >> _HALF_BITS, starts), np.add.reduceat(wide & _HALF_MASK, starts)
    halves = pl.DataFrame({"high": high, "low": low}).cast(pl.Int128)
    return halves.select(pl.col("high") * pl.lit(1 << _HALF_BITS, dtype=pl.Int128) + pl.col("low")).to_series()


def _folded(
    file: SegmentFile, folding: Folding, aggregator: Aggregator, rows: pl.LazyFrame, edges: Edges
) -> pl.DataFrame:
    """Fold as the aggregator does, from the columns that it knows."""
    keys = [_key(file, name).alias(column) for column, name in folding.by_columns.items()]
    operands = aggregator.operands
    events = (
        rows.select(
            *keys,
            _place(file, edges),
            file.time(),
            pl.col(POSITION),
            pl.col(CUSTOMER),
            file.value(),
            *file.property_texts(sorted(property_names(operands))),
        )
        .select(*folding.by_columns, PLACE, *(operand.expression() for operand in operands), TIME, POSITION)
        .drop_nulls([operand.column for operand in operands])
    )
    return _as_texts(collected(aggregator.fold(events, [*folding.by_columns, PLACE])))


def _selected(file: SegmentFile, folding: Folding, selection: Selection) -> pl.LazyFrame:
    predicate = selection.predicate(file.entry)
    predicate += [_is_one_of(file, name, texts) for name, texts in folding.properties]
    rows = file.scan()
    return rows.filter(*predicate) if predicate else rows


def _is_one_of(file: SegmentFile, name: str, texts: Sequence[str]) -> pl.Expr:
    known = file.coded_texts().get(name)
    if known is None:
        return file.property_texts([name])[0].is_in(pl.Series(texts, dtype=pl.String).implode())
    codes = known.is_in(pl.Series(texts, dtype=pl.String).implode()).arg_true().cast(pl.UInt8)
    return pl.col(PROPERTY_PREFIX + name).is_in(codes.implode())


def _key(file: SegmentFile, name: str) -> pl.Expr:
    """Return what tells groups apart: codes, where a property has them, which `_as_texts` then takes back."""
    if name == CUSTOMER:
        return pl.col(CUSTOMER)
    known = file.coded_texts().get(name)
    if known is None or not len(known):
        return file.property_texts([name])[0]
    return pl.col(PROPERTY_PREFIX + name).cat.to(pl.Enum(known))


def _as_texts(states: pl.DataFrame) -> pl.DataFrame:
    coded = [name for name, kind in states.schema.items() if isinstance(kind, pl.Enum)]
    return states.with_columns(pl.col(coded).cast(pl.String))


def _place(file: SegmentFile, edges: Edges) -> pl.Expr:
    """Return which of the windows a row lies in, found in the units of the file."""
    return Windows(_in_units(file, edges)).index_of(pl.col(TIME).cast(pl.Int64)).alias(PLACE)


def _places(file: SegmentFile, times: npt.NDArray[Any], edges: Edges) -> npt.NDArray[Any] | None:
    """Return the same of a column of the file; None where there is one window."""
    in_units = _in_units(file, edges)
    if len(in_units) <= 2:  # noqa: PLR2004 - two edges make one window
        return None
    inside = np.diff(in_units[1:-1])
    width = int(inside[0]) if len(inside) else int(np.diff(in_units).max())
    base = int(in_units[1]) - width
    # What is narrow stays narrow: dividing 32-bit numbers takes a third of the time.
    largest = np.iinfo(times.dtype).max
    is_even = (inside == width).all() and base <= in_units[0] and in_units[-1] <= in_units[-2] + width
    if is_even and 0 < width <= largest and abs(base) <= largest and int(times.max(initial=0)) - base <= largest:
        return (times - times.dtype.type(base)) // times.dtype.type(width)
    return np.searchsorted(in_units, times, side="right") - 1


def _in_units(file: SegmentFile, edges: Edges) -> Edges:
    # Rounded up: the first count whose instant is not before the edge.
    return -(-edges // file.entry.time_unit_ns) - file.entry.time_start
