"""Fold one segment into columns of states by the compiled library: some nanoseconds an event.

Promises: the states of `fold_segment`, as integers; None at any doubt (no library, values that are no whole numbers of a scale, a
property without codes, a sum that leaves 64 bits), for `fold_segment` to fold it then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.native.library import NATIVE
from tallystick.segments.segment_file import SegmentFile
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE

from .buckets import Edges
from .column_plan import ColumnPlan
from .counted_file import CountedFile
from .segment_columns import NO_TEXT, Runs, SegmentColumns
from .state_columns import Int64s, StateColumns, state_columns

_CELLS_MAX: Final = 1 << 20
_CODES: Final = NO_TEXT + 1
_DOUBT: Final = (1 << 64) - 1
_BEFORE: Final = -(2**63)
_AFTER: Final = 2**63 - 1
# More than any group, however often it is added up.
_LEFT_OUT: Final = 1 << 24


class _Rows(ctypes.Structure):
    """`rows_to_fold` of `native/fold_rows.c`."""

    _fields_ = (
        ("times", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("time_bytes", ctypes.c_uint64),
        ("value_bytes", ctypes.c_uint64),
        ("edges", ctypes.c_void_p),
        ("places", ctypes.c_uint64),
        ("starts", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("runs", ctypes.c_uint64),
        ("groups", ctypes.c_uint64),
        ("codes", ctypes.c_void_p),
        ("meanings", ctypes.c_void_p),
        ("columns", ctypes.c_uint64),
        ("is_left_out", ctypes.c_void_p),
        ("found", ctypes.c_void_p * 5),
        ("room", ctypes.c_uint64),
    )


class _Coded(msgspec.Struct, frozen=True, eq=False):
    """A column of codes, and what each code adds to the number of a row's group; `_LEFT_OUT` leaves the row out."""

    name: str
    meanings: npt.NDArray[np.uint32]


class Layout(msgspec.Struct, frozen=True, eq=False):
    """How the folding's names lie in one file. `texts` are those of the names that are keys, in the order of their codes, null last."""

    columns: tuple[str, ...]
    coded: tuple[_Coded, ...]
    texts: tuple[tuple[str, list[str | None]], ...]
    groups: int
    is_empty: bool


def layout_of(plan: ColumnPlan, file: SegmentFile) -> Layout | None:
    """Return what of the file has to be read for the folding; None where it cannot be folded here."""
    if NATIVE is None or (plan.adds_values and file.entry.value_scale is None):
        return None
    texts: list[tuple[str, list[str | None]]] = []
    coded: list[_Coded] = []
    groups = 1
    for name in plan.groups.names:
        if name == CUSTOMER:
            continue
        known = _texts_of(file, name)
        if known is None:
            return None
        if len(known):
            coded.append(_Coded(PROPERTY_PREFIX + name, _key_meanings(len(known), groups)))
        texts.append((name, [*known, None]))
        groups *= len(known) + 1
    is_empty = False
    for name, wanted in plan.folding.properties:
        known = _texts_of(file, name)
        if known is None:
            return None
        codes = [code for code, text in enumerate(known) if text in wanted]
        is_empty |= not codes
        meanings = np.full(_CODES, _LEFT_OUT, np.uint32)
        meanings[codes] = 0
        coded.append(_Coded(PROPERTY_PREFIX + name, meanings))
    values = (VALUE,) if plan.adds_values else ()
    names = (TIME, *values, *dict.fromkeys(column.name for column in coded))
    return Layout(names, tuple(coded), tuple(texts), groups, is_empty)


def fold_columns(
    columns: SegmentColumns,
    counted: CountedFile,
    plan: ColumnPlan,
    layout: Layout,
    edges: Edges,
    *,
    customers: Sequence[str] | None = None,
) -> StateColumns | None:
    """Return the states of the rows whose time lies within the edges, for each group and window of them; None at any doubt.

    The numbers of windows stand in place of instants: `buckets` counts them.
    """
    file = counted.file
    # Two windows more for what lies before and after; they are dropped again.
    cuts = np.concatenate([[_BEFORE], -(-edges // file.entry.time_unit_ns) - file.entry.time_start, [_AFTER]])
    runs = columns.runs(file, plan.folding.meter.event_type)
    stretches = _stretches(runs, plan, customers)
    if layout.is_empty or not len(stretches.runs):
        return _no_states(plan, len(edges) - 1)
    cells = (len(cuts) - 1) * layout.groups
    if cells > _CELLS_MAX:
        return None
    numbers = dict(zip(layout.columns, columns.numbers(file, layout.columns), strict=True))
    found = _folded(numbers, layout, stretches, cuts, is_left_out=_left_out(columns, counted), adds=plan.adds_values)
    if found is None:
        return None
    is_within = (found[1] > 0) & (found[1] < len(cuts) - 2)
    if not is_within.all():
        found = found[:, is_within]
    codes = _group_codes(plan, layout, runs, stretches.runs[found[0]], found[2])
    if codes is None:
        return None
    return state_columns(
        codes,
        found[1] - 1,
        np.arange(len(edges) - 1),
        events=found[3],
        units=found[4] if plan.adds_values else None,
        scale=(file.entry.value_scale or 0) if plan.adds_values else 0,
    )


def _no_states(plan: ColumnPlan, windows: int) -> StateColumns:
    nothing = np.empty(0, np.int64)
    return state_columns(
        nothing,
        nothing,
        np.arange(windows),
        events=nothing,
        units=nothing if plan.adds_values else None,
        scale=0,
    )


def _texts_of(file: SegmentFile, name: str) -> list[str] | None:
    """Return the texts that the codes of a property stand for, none where no event has it; None where it has no codes."""
    known = file.coded_texts().get(name)
    if known is not None:
        return known.to_list()
    is_absent = name not in file.entry.properties and not file.entry.has_rest
    return [] if is_absent else None


def _key_meanings(count: int, stride: int) -> npt.NDArray[np.uint32]:
    meanings = np.full(_CODES, _LEFT_OUT, np.uint32)
    if count * stride <= _CELLS_MAX:  # else it is too much, which is found out before anything is folded
        meanings[:count] = np.arange(count) * stride
        meanings[NO_TEXT] = count * stride
    return meanings


class _Stretches(msgspec.Struct, frozen=True, eq=False):
    """Rows to be folded, each stretch by itself: those of the runs with these numbers, or all of a type as one stretch."""

    runs: Int64s
    starts: Int64s
    ends: Int64s


def _stretches(runs: Runs, plan: ColumnPlan, customers: Sequence[str] | None) -> _Stretches:
    if customers is not None:
        chosen = runs.of_customers(customers)
        return _Stretches(chosen, runs.starts[chosen], runs.ends[chosen])
    if CUSTOMER in plan.groups.names or not len(runs.starts):
        return _Stretches(np.arange(len(runs.starts)), runs.starts, runs.ends)
    return _Stretches(np.zeros(1, np.int64), runs.starts[:1].copy(), runs.ends[-1:].copy())


def _left_out(columns: SegmentColumns, counted: CountedFile) -> npt.NDArray[np.bool_] | None:
    if not len(counted.voided):
        return None
    (positions,) = columns.numbers(counted.file, [POSITION])
    return np.ascontiguousarray(np.isin(positions, counted.voided))


def _folded(
    numbers: dict[str, npt.NDArray[Any]],
    layout: Layout,
    stretches: _Stretches,
    cuts: Int64s,
    *,
    is_left_out: npt.NDArray[np.bool_] | None,
    adds: bool,
) -> Int64s | None:
    """Return, for each state, its stretch, window, group, events and sum."""
    if NATIVE is None:
        return None
    # What is passed on by its address is kept in variables until the call is over.
    starts, ends = np.ascontiguousarray(stretches.starts), np.ascontiguousarray(stretches.ends)
    places = len(cuts) - 1
    room = min(int((ends - starts).sum()), len(starts) * places * layout.groups)
    found = np.empty((5, room), np.int64)
    codes = np.array([numbers[column.name].ctypes.data for column in layout.coded], np.uint64)
    meanings = np.array([column.meanings.ctypes.data for column in layout.coded], np.uint64)
    times, values = numbers[TIME], numbers.get(VALUE)
    rows = _Rows(
        times=times.ctypes.data,
        values=values.ctypes.data if adds and values is not None else None,
        time_bytes=times.itemsize,
        value_bytes=values.itemsize if adds and values is not None else 0,
        edges=cuts.ctypes.data,
        places=places,
        starts=starts.ctypes.data,
        ends=ends.ctypes.data,
        runs=len(starts),
        groups=layout.groups,
        codes=codes.ctypes.data,
        meanings=meanings.ctypes.data,
        columns=len(layout.coded),
        is_left_out=None if is_left_out is None else is_left_out.ctypes.data,
        found=(ctypes.c_void_p * 5)(*(found[row].ctypes.data for row in range(5))),
        room=room,
    )
    count = cast("int", NATIVE.long.fold_rows(ctypes.addressof(rows)))
    return None if count == _DOUBT else found[:, :count]


def _group_codes(plan: ColumnPlan, layout: Layout, runs: Runs, found_runs: Int64s, numbers: Int64s) -> Int64s | None:
    """Return the groups of states whose runs and numbers within the layout are these."""
    groups = plan.groups
    if groups.names == (CUSTOMER,):
        return None if runs.codes is None else runs.codes[found_runs]
    columns: dict[str, pl.Series] = {}
    for name, texts in layout.texts:
        columns[name] = pl.Series(texts, dtype=pl.String).gather(numbers % len(texts))
        numbers = numbers // len(texts)
    if CUSTOMER in groups.names:
        columns[CUSTOMER] = runs.customers(found_runs)
    return groups.of([columns[name] for name in groups.names], height=len(numbers))
