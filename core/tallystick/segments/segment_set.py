"""The segment files that count at one moment: an immutable snapshot that answers questions.

Promises: answers depend on the events in the files alone, not on how merges have cut them; files that cannot hold a
wanted row are not opened. A file that a merge replaced stays readable until the last snapshot that lists it is gone,
and is deleted then.
Does not: know the live tail, or what is voided: the caller joins and tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.customer import CustomerSeen
from tallystick.usage.event_frames import CUSTOMER, TIME

from .customers_seen import EVENT_COUNT, add_up, as_customers
from .event_places import NO_PLACES, EventPlaces, Place, newest_in, newest_of, positions_from
from .segment_entry import SegmentEntry
from .segment_file import SegmentFile
from .selection import Selection


class SegmentSet:
    """Files by first time.

    Methods are safe from any thread, and raise `DamagedSegment` for a file that is not what was written.
    """

    def __init__(self, directory: Path, entries: Iterable[SegmentEntry]) -> None:
        self._directory = directory
        self._files = _by_time(SegmentFile(directory, entry) for entry in entries)
        self._size_bytes = sum(file.entry.file_bytes for file in self._files)

    @property
    def entries(self) -> list[SegmentEntry]:
        """The entries, by first time."""
        return [file.entry for file in self._files]

    @property
    def event_count(self) -> int:
        """How many events the files hold."""
        return sum(file.entry.rows for file in self._files)

    @property
    def size_bytes(self) -> int:
        """How much the files take on disk; counted once, when the snapshot is made."""
        return self._size_bytes

    def with_changes(self, *, added: Iterable[SegmentEntry] = (), removed: Iterable[SegmentEntry] = ()) -> SegmentSet:
        """Return the snapshot after a checkpoint or a merge; what was verified stays verified."""
        gone = {entry.file for entry in removed}
        kept = [file for file in self._files if file.entry.file not in gone]
        changed = SegmentSet(self._directory, ())
        changed._files = _by_time([*kept, *(SegmentFile(self._directory, entry) for entry in added)])
        changed._size_bytes = sum(file.entry.file_bytes for file in changed._files)
        return changed

    def retire(self, removed: Iterable[SegmentEntry]) -> None:
        """Have the files deleted once no snapshot lists them. Call it when a manifest without them is on disk."""
        gone = {entry.file for entry in removed}
        for file in self._files:
            if file.entry.file in gone:
                file.retire()

    def frames(
        self,
        *,
        event_type: str,
        start: int,
        end: int,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: int | None = None,
        voided: npt.NDArray[np.int64] | None = None,
    ) -> list[pl.LazyFrame]:
        """Return what `EventFrames.frames` promises, for the events in the files; `voided` are the sorted positions to leave out.

        Each frame holds a file descriptor until it is dropped.
        """
        selection = Selection(
            event_type=event_type, start=start, end=end, customers=customers, last_position=as_of, voided=voided
        )
        return [file.frame(selection, properties) for file in self.touched(selection)]

    @property
    def files(self) -> Sequence[SegmentFile]:
        """The files, by first time."""
        return self._files

    def touched(self, selection: Selection) -> list[SegmentFile]:
        """Return the files that may hold a selected row, by first time."""
        return [file for file in self._files if selection.may_touch(file.entry)]

    def newest(
        self,
        *,
        customer: str | None = None,
        event_type: str | None = None,
        start: int | None = None,
        end: int | None = None,
        before: Place | None = None,
        limit: int,
    ) -> EventPlaces:
        """Return the newest events, voided ones too, that come before a place in the order of the events list.

        Opens files from the newest back, and stops as soon as those left are older than all that were found: a page
        of a live stream costs one file or two, whatever the age of the log.
        """
        if before is not None:
            end = before.time + 1 if end is None else min(end, before.time + 1)
        customers = None if customer is None else (customer,)
        selection = Selection(event_type=event_type, start=start, end=end, customers=customers)
        found = NO_PLACES
        files = [file for file in self._files if selection.may_touch(file.entry)]
        for file in sorted(files, key=lambda file: file.entry.last_time, reverse=True):
            if len(found) == limit and file.entry.last_time < found.times[-1]:
                break
            page = newest_in(file.times_and_positions(selection), before=before, limit=limit)
            found = newest_of([found, page], limit=limit)
        return found

    def positions_of(
        self, customer: str, *, start: int, end: int, first_position: int, last_position: int
    ) -> npt.NDArray[np.int64]:
        """Return where in `[first_position, last_position]` the customer's events of that time stand, voided ones too, in no order."""
        selection = Selection(start=start, end=end, customers=(customer,), last_position=last_position)
        found = [
            positions_from(file.times_and_positions(selection), first_position)
            for file in self._files
            if selection.may_touch(file.entry) and file.entry.last_position >= first_position
        ]
        return np.concatenate([np.empty(0, np.int64), *found])

    def customers(self, *, after: str | None = None, limit: int) -> list[CustomerSeen]:
        """Return the first customers by key after the given one, with all their events, voided ones too.

        Once a file has filled a page, of the others only the row groups up to the page's last key are read.
        """
        page = pl.DataFrame(schema={CUSTOMER: pl.String, EVENT_COUNT: pl.Int64, TIME: pl.Int64})
        last: str | None = None
        for file in sorted(self._files, key=lambda file: file.entry.rows, reverse=True):
            counts = file.customer_counts(after=after, last=last)
            page = add_up(pl.concat([page, counts]).lazy()).sort(CUSTOMER).head(limit).collect()
            if page.height == limit:
                last = page[CUSTOMER][-1]
        return as_customers(page)

    def file(self, name: str) -> SegmentFile:
        """Return a file by its name. Raises `KeyError`."""
        for file in self._files:
            if file.entry.file == name:
                return file
        raise KeyError(name)


def _by_time(files: Iterable[SegmentFile]) -> tuple[SegmentFile, ...]:
    return tuple(sorted(files, key=lambda file: (file.entry.first_time, file.entry.file)))
