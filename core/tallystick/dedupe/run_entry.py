"""What the engine's manifest keeps of a run file: enough to find it, plan with it and notice that it is not the file that was written."""

from __future__ import annotations

import msgspec

from tallystick.instant import Instant


class RunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A run: all keys of the positions from `first_position` to `last_position`, both included.

    `checksum` is the xxh3_128 of the header, which holds the checksums of everything else in the file (see `run_header`).
    Runs of one index never overlap: sorted by `first_position`, they are sorted by age.
    """

    file: str
    count: int
    first_position: int
    last_position: int
    first_received_at: Instant
    last_received_at: Instant
    file_bytes: int
    checksum: bytes
