"""What the manifest keeps about one segment file: enough to know, without opening it, whether a question needs it.

Promises: every bound is inclusive and exact, so that leaving a file out by them never loses a row; `verify_segments`
checks them.
Does not: grow without bound: names that are long or rare stay in the file's `rest` column, and many types are not
listed at all.
"""

from __future__ import annotations

import msgspec


class SegmentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of events, sorted by type, customer, time and position.

    `level` counts how often its rows were rewritten by merges. `checksum` is xxh3_128 over the whole file, 16 bytes.
    `types` are sorted; None stands for more than `TYPES_LISTED_MAX`. `properties` are the names that have a column
    of their own; `has_rest` tells whether any event has others. Times in the file count `time_unit_ns` from `time_start` of them on.
    Values in the file are whole numbers of the scale `value_scale`; None: decimals.
    """

    file: str
    rows: int
    level: int
    first_position: int
    last_position: int
    first_time: int
    last_time: int
    file_bytes: int
    checksum: bytes
    types: tuple[str, ...] | None
    properties: tuple[str, ...]
    has_rest: bool
    time_unit_ns: int
    time_start: int = 0
    value_scale: int | None = None

    def holds_type(self, event_type: str | None) -> bool:
        """Whether a row of the type (None: any) may be in the file."""
        return event_type is None or self.types is None or event_type in self.types


TYPES_LISTED_MAX = 64
