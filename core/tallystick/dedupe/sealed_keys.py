"""The keys of one checkpoint: no longer added to, still searched, on their way to a run file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from tallystick.instant import Instant

from .identity_hash import Hashes, Positions
from .run_entry import RunEntry
from .run_writer import RunWriter


class SealedKeys(msgspec.Struct, frozen=True, eq=False):
    """Keys in the order of their arrival, at least one; the arrays are never written to again."""

    hashes: Hashes
    positions: Positions

    def __len__(self) -> int:
        return self.hashes.size


def write_run(
    directory: Path, sealed: SealedKeys, *, number: int, first_received_at: Instant, last_received_at: Instant
) -> RunEntry:
    """Write the keys as a run file and return once it will survive a power cut; called off the writer thread.

    Half of a second per million keys, most of it without the interpreter's lock. The times are those of the oldest and newest event.
    May be called again with the same number after it failed. Raises `OSError`.
    """
    order = np.argsort(sealed.hashes)
    with RunWriter(
        directory,
        number=number,
        count=len(sealed),
        first_position=int(sealed.positions.min()),
        last_position=int(sealed.positions.max()),
        first_received_at=first_received_at,
        last_received_at=last_received_at,
    ) as writer:
        writer.add(sealed.hashes[order], sealed.positions[order])
        return writer.finish()
