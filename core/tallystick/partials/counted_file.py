"""A segment file together with which of its events do not count: what states are states of."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.segments.segment_file import SegmentFile

Positions = npt.NDArray[np.int64]


class CountedFile(msgspec.Struct, frozen=True, eq=False):
    """A segment file, and the positions in it that do not count, sorted."""

    file: SegmentFile
    voided: Positions

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.file.entry.file

    @property
    def mark(self) -> bytes:
        """Return what two sets of this file's events have in common if they are one."""
        return self.voided.tobytes()


def counted_files(files: Iterable[SegmentFile], voided: Positions) -> list[CountedFile]:
    """Return the files, each with its part of the sorted positions that do not count.

    Files may overlap in positions, so a part can name events of another file; that makes states of their own, and no wrong ones.
    """
    return [CountedFile(file, _within(file, voided)) for file in files]


def _within(file: SegmentFile, voided: Positions) -> Positions:
    if not len(voided):
        return voided
    entry = file.entry
    start, end = np.searchsorted(voided, (entry.first_position, entry.last_position + 1))
    return voided[start:end]
