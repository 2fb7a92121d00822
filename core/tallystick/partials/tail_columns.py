"""The states of what is in no segment yet: each new event is folded once for a folding that is asked about, and never again.

Promises: the states are those of the tail's events up to the position that a question is about, without the voided ones. Where a later
question has brought them beyond that position already, or they do not fit into columns, the answer is None, and the tail is folded anew.
Bounded as all states are: they are kept in the same memory.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import polars as pl

from tallystick.cancellation import collected
from tallystick.event_columns import EventColumns
from tallystick.instant import EARLIEST, LATEST, NS_PER_DAY, Instant
from tallystick.native.library import NATIVE
from tallystick.packed_events import CUSTOMERS
from tallystick.segments.live_tail import LiveTail
from tallystick.segments.packed_table import SHORT_ROWS_MAX, parts_of
from tallystick.segments.selection import Selection
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME
from tallystick.usage.event_selection import EventSelection
from tallystick.usage.operand import property_names
from tallystick.usage.windows import Windows

from .buckets import Edges, bucket_edges
from .column_plan import ColumnPlan
from .counted_file import Positions
from .merged_states import BUCKET
from .state_columns import Int64s, StateColumns, put_together, state_columns
from .states_cache import StatesCache

_LOCKS: Final = 16
_CELLS_MAX: Final = 1 << 21


class TailStates(msgspec.Struct, frozen=True, eq=False):
    """The states of a tail's events, in pieces whose `buckets` are instants. No event lies outside `[first_time, last_time]`."""

    pieces: tuple[StateColumns, ...]
    first_time: Instant
    last_time: Instant


class _Folded(msgspec.Struct, frozen=True, eq=False):
    """The states of the tail's events up to `position`; `mark` are the positions in it that do not count.

    The tail is not kept alive: it is let go once its segments are on record, and is larger by far than the states of it.
    """

    tail: weakref.ref[LiveTail]
    position: int
    mark: bytes
    states: TailStates
    plan: ColumnPlan

    def is_of(self, tail: LiveTail, plan: ColumnPlan) -> bool:
        """Whether these are states of that tail, of the numbers that the plan goes by."""
        return self.tail() is tail and self.plan.groups is plan.groups


class TailColumns:
    """Keeps them in the cache that is given. Safe from any thread."""

    def __init__(self, cache: StatesCache[object]) -> None:
        self._cache = cache
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def plans(self, tail: LiveTail) -> list[ColumnPlan]:
        """Return the foldings that the tail's events were asked about, those asked about last behind."""
        kept = [value for _, value in self._cache.items() if isinstance(value, _Folded)]
        return [folded.plan for folded in kept if folded.tail() is tail]

    def states(self, plan: ColumnPlan, tail: LiveTail, *, head: int, voided: Positions) -> TailStates | None:
        """Return the states of the tail's events up to `head`; None where they are not to be had so."""
        first, last = tail.first_position, tail.last_position
        if first is None or last is None or first > head:
            return TailStates((_nothing(plan),), LATEST, EARLIEST)
        last = min(last, head)
        key = b"tail %d" % id(tail) + plan.digest
        start, end = np.searchsorted(voided, (first, last + 1)).tolist()
        mark = voided[start:end].tobytes()
        with self._locks[plan.digest[0] % _LOCKS]:
            found = self._cache.get(key)
            known = found if isinstance(found, _Folded) and found.is_of(tail, plan) else None
            if known is not None and known.position > last:
                return None
            if known is not None and known.mark != mark:
                known = None
            if known is not None and known.position == last:
                return known.states
            after = first - 1 if known is None else known.position
            states = _with_later(None if known is None else known.states, plan, tail, after, last, voided[start:end])
            if states is not None:
                folded = _Folded(weakref.ref(tail), last, mark, states, plan)
                self._cache.put(key, folded, size_bytes=sum(piece.size_bytes for piece in states.pieces))
            return states


def _with_later(
    known: TailStates | None, plan: ColumnPlan, tail: LiveTail, after: int, last: int, voided: Positions
) -> TailStates | None:
    """Return what is known with the events of `after < position <= last`; None where that does not fit into columns."""
    events = tail.events_after(after, last=last, left_out=voided.tolist())
    if not events:
        return known or TailStates((_nothing(plan),), LATEST, EARLIEST)
    first_time = min(int(columns.times.min()) for columns in events)
    last_time = max(int(columns.times.max()) for columns in events)
    states = fold_packed(plan, events, first_time=first_time, last_time=last_time)
    if states is None:
        states = fold_tail(plan, tail, after=after, head=last, voided=voided)
    if states is None:
        return None
    if known is None:
        return TailStates((states,), Instant(first_time), Instant(last_time))
    pieces = _with_piece(known.pieces, states)
    if pieces is None:
        return None
    return TailStates(pieces, Instant(min(known.first_time, first_time)), Instant(max(known.last_time, last_time)))


def _with_piece(pieces: tuple[StateColumns, ...], new: StateColumns) -> tuple[StateColumns, ...] | None:
    """Return the pieces with one more, each at least twice as large as the next: a state is copied a logarithmic number of times."""
    kept = list(pieces)
    while kept and len(kept[-1]) < 2 * len(new):
        together = put_together([kept.pop(), new])
        if together is None:
            return None
        new = together
    return (*kept, new)


def _nothing(plan: ColumnPlan) -> StateColumns:
    nothing = np.empty(0, np.int64)
    units = nothing if plan.adds_values else None
    return state_columns(nothing, nothing, nothing, events=nothing, units=units, scale=0)


def fold_packed(
    plan: ColumnPlan, events: Sequence[EventColumns], *, first_time: int, last_time: int
) -> StateColumns | None:
    """Fold events by the compiled library; None at any doubt, or where properties are asked for."""
    if NATIVE is None or plan.folding.properties or plan.groups.names not in {(), (CUSTOMER,)}:
        return None
    parts = parts_of(events)
    edges = _edges_around(plan, first_time, last_time)
    if parts is None or not parts.rows or edges is None:
        return None
    codes, texts = None, None
    if plan.groups.names:
        distinct = parts.distinct(CUSTOMER, CUSTOMERS)[0]
        codes, texts = distinct.codes, distinct.texts
    cells = (1 if texts is None else len(texts)) * (len(edges) - 1)
    if cells > _CELLS_MAX:
        return None
    counts = np.zeros(cells, np.int64)
    sums = np.zeros(cells, np.int64) if plan.adds_values else None
    event_type = plan.folding.meter.event_type.encode()
    functions = NATIVE.long if parts.rows > SHORT_ROWS_MAX else NATIVE.short
    scale = functions.fold_parts(
        parts.address,
        parts.count,
        event_type,
        len(event_type),
        None if codes is None else codes.ctypes.data,
        edges.ctypes.data,
        len(edges) - 1,
        counts.ctypes.data,
        None if sums is None else sums.ctypes.data,
    )
    if scale < 0:
        return None
    return _found_in(plan, texts, edges, counts, sums, scale)


def _found_in(
    plan: ColumnPlan, texts: pl.Series | None, edges: Edges, counts: Int64s, sums: Int64s | None, scale: int
) -> StateColumns | None:
    """Return the cells that have events."""
    found = np.flatnonzero(counts)
    numbers = found // (len(edges) - 1)
    places = found - numbers * (len(edges) - 1)
    if texts is None:
        groups = np.zeros(len(found), np.int64)
    else:
        # Events of other types have customers too: they are no groups of this meter.
        is_there = np.zeros(len(texts), np.bool_)
        is_there[numbers] = True
        named = texts if is_there.all() else texts.filter(pl.Series(is_there))
        known = plan.groups.of([named], height=len(named))
        if known is None:
            return None
        codes = np.empty(len(texts), np.int64)
        codes[is_there] = known
        groups = codes[numbers]
    units = None if sums is None else sums[found]
    return state_columns(groups, places, edges[:-1], events=counts[found], units=units, scale=scale)


def _edges_around(plan: ColumnPlan, first: int, last: int) -> Edges | None:
    """Return the edges of the buckets that hold these times; of whole days, so that they are mostly those of the time before."""
    first, last = first - first % NS_PER_DAY, last - last % NS_PER_DAY + NS_PER_DAY - 1
    return bucket_edges(first, min(last, LATEST), plan.folding.cut, plan.folding.timezone)


def fold_tail(
    plan: ColumnPlan,
    tail: LiveTail,
    *,
    head: int,
    voided: Positions,
    after: int | None = None,
    start: int = EARLIEST,
    end: int = LATEST + 1,
    edges: Edges | None = None,
) -> StateColumns | None:
    """Fold the events with `after < position <= head` and `start <= time < end`; None where the states do not fit into columns.

    With `edges`, within which all of them lie, the numbers of windows stand in place of instants.
    """
    folding, operands = plan.folding, plan.aggregator.operands
    selection = EventSelection(None, folding.properties)
    grouped = {name for name in folding.by if name != CUSTOMER}
    names = sorted({*grouped, *selection.property_names, *property_names(operands)})
    wanted = Selection(event_type=folding.meter.event_type, start=start, end=end, last_position=head, voided=voided)
    frames = tail.frames_after(after, wanted, names)
    if not frames:
        return _nothing(plan)
    keys = folding.by_columns
    events = collected(
        selection.narrow(pl.concat(frames))
        .select(
            *(
                pl.col(CUSTOMER if name == CUSTOMER else f"{PROPERTY_PREFIX}{name}").alias(column)
                for column, name in keys.items()
            ),
            *(operand.expression() for operand in operands),
            pl.col(TIME, POSITION),
        )
        .drop_nulls([operand.column for operand in operands])
    )
    if not events.height:
        return _nothing(plan)
    buckets = None if edges is None else np.arange(len(edges) - 1)
    if edges is None:
        times = events[TIME].to_numpy()
        edges = bucket_edges(int(times.min()), int(times.max()), folding.cut, folding.timezone)
        if edges is None:
            return None
    placed = events.lazy().with_columns(Windows(edges).index_of(pl.col(TIME)).alias(BUCKET))
    states = collected(plan.aggregator.fold(placed, [*keys, BUCKET]))
    return plan.from_frame(states, BUCKET, edges[:-1] if buckets is None else buckets)
