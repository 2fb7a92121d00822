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
    """States by the folding's columns and `BUCKET` (the instant at which a bucket begins), sorted by them, each combination once.

    `marks` says of which files, and by `CountedFile.mark` of which of their events.
    """

    marks: dict[str, bytes]
    frame: pl.DataFrame

    def covers(self, counted: CountedFile) -> bool:
        """Whether the file is within, with the same events."""
        return self.marks.get(counted.name) == counted.mark

    def is_current(self, known: Mapping[str, CountedFile]) -> bool:
        """Whether every file within is one that counts now, with the same events."""
        return all(name in known and known[name].mark == mark for name, mark in self.marks.items())


def merge_states(
    folding: Folding, base: MergedStates | None, made: Sequence[tuple[CountedFile, pl.DataFrame]]
) -> MergedStates:
    """Return the states of what was merged before and of further files. There is one or the other."""
    marks = {counted.name: counted.mark for counted, _ in made}
    frames = [frame for _, frame in made if frame.height]
    if base is not None:
        marks |= base.marks
        if not frames:
            return MergedStates(marks, base.frame)
        frames.append(base.frame)
    if not frames:
        return MergedStates(marks, made[0][1])
    keys = [*folding.by_columns, BUCKET]
    columns = frames[0].columns
    states = folding.aggregator.merge(pl.concat([frame.select(columns) for frame in frames]).lazy(), keys)
    return MergedStates(marks, states.sort(keys).collect(engine="streaming"))


def of_customers(frame: pl.DataFrame, folding: Folding, customers: Sequence[str]) -> pl.DataFrame:
    """Return the states of some customers, found by halving: a frame of merged states is sorted by customer first."""
    if not frame.height:
        return frame
    column = next(column for column, name in folding.by_columns.items() if name == CUSTOMER)
    wanted = pl.Series(sorted(customers), dtype=pl.String)
    starts: list[int] = frame[column].search_sorted(wanted, side="left").to_list()
    ends: list[int] = frame[column].search_sorted(wanted, side="right").to_list()
    slices = [frame.slice(start, end - start) for start, end in zip(starts, ends, strict=True) if start < end]
    return pl.concat(slices) if slices else frame.clear()
