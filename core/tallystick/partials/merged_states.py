"""The states of several segments in one frame: what a question that was asked before reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import polars as pl

from tallystick.usage.event_frames import CUSTOMER

from .counted_file import CountedFile
from .folding import Folding

BUCKET: Final = "bucket"


class MergedStates(msgspec.Struct, frozen=True, eq=False):
    """States by the folding's columns and `BUCKET`, the instant at which a bucket begins.

    `marks` says of which files, and by `CountedFile.mark` of which of their events. Where it is tidy, rows are sorted by their keys, each
    combination once. Sorting takes longer than what a question does with the rows, so they are loose until the background has done it.
    """

    marks: dict[str, bytes]
    frame: pl.DataFrame
    is_tidy: bool

    def covers(self, counted: CountedFile) -> bool:
        """Whether the file is within, with the same events."""
        return self.marks.get(counted.name) == counted.mark

    def is_current(self, known: Mapping[str, CountedFile]) -> bool:
        """Whether every file within is one that counts now, with the same events."""
        return all(name in known and known[name].mark == mark for name, mark in self.marks.items())


def put_together(base: MergedStates | None, made: Sequence[tuple[CountedFile, pl.DataFrame]]) -> MergedStates:
    """Return the states of what was there before and of further files, loose. There is one or the other."""
    marks = {counted.name: counted.mark for counted, _ in made}
    frames = [frame for _, frame in made if frame.height]
    if base is not None:
        marks |= base.marks
        if not frames:
            return MergedStates(marks, base.frame, base.is_tidy)
        frames.append(base.frame)
    if not frames:
        return MergedStates(marks, made[0][1], is_tidy=True)
    columns = frames[0].columns
    return MergedStates(marks, pl.concat([frame.select(columns) for frame in frames]), is_tidy=False)


def tidied(folding: Folding, states: MergedStates) -> MergedStates:
    """Return the states merged and sorted."""
    keys = [*folding.by_columns, BUCKET]
    merged = folding.aggregator.merge(states.frame.lazy(), keys)
    return MergedStates(states.marks, merged.sort(keys).collect(engine="streaming"), is_tidy=True)


def of_customers(states: MergedStates, folding: Folding, customers: Sequence[str]) -> pl.DataFrame:
    """Return the rows of some customers, found by halving where the states are tidy: they are sorted by customer first."""
    frame = states.frame
    if not frame.height:
        return frame
    column = next(column for column, name in folding.by_columns.items() if name == CUSTOMER)
    if not states.is_tidy:
        return frame.filter(pl.col(column).is_in(pl.Series(customers, dtype=pl.String).implode()))
    wanted = pl.Series(sorted(customers), dtype=pl.String)
    starts: list[int] = frame[column].search_sorted(wanted, side="left").to_list()
    ends: list[int] = frame[column].search_sorted(wanted, side="right").to_list()
    slices = [frame.slice(start, end - start) for start, end in zip(starts, ends, strict=True) if start < end]
    return pl.concat(slices) if slices else frame.clear()
