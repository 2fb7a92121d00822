"""Batches: as many records as one request may hold, by count and by bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from .record import Record

# The appliance takes 10,000 events and 16 MiB; half of that keeps several requests in flight without a long wait for any.
BATCH_EVENTS_DEFAULT: Final = 5_000
BATCH_EVENTS_MAX: Final = 10_000
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024


class Batch(msgspec.Struct, frozen=True):
    """Records that go in one request; `consumed` is how far the file was read when the batch was full."""

    records: list[Record]
    consumed: int

    def body(self) -> bytes:
        """Return the records as NDJSON."""
        return b"\n".join(record.event for record in self.records)

    def halves(self) -> list[Batch]:
        """Return the batch as two; it must have two records at least."""
        middle = len(self.records) // 2
        return [Batch(self.records[:middle], self.consumed), Batch(self.records[middle:], self.consumed)]


def batches(records: Iterable[tuple[Record, int]], *, events_max: int) -> Iterator[Batch]:
    """Yield batches of `(record, consumed)` pairs, in order. Holds one batch at a time."""
    held: list[Record] = []
    held_bytes = 0
    consumed = 0
    for record, now_consumed in records:
        if held and (len(held) >= events_max or held_bytes + len(record.event) > BATCH_BYTES_MAX):
            yield Batch(held, consumed)
            held, held_bytes = [], 0
        held.append(record)
        held_bytes += len(record.event) + 1
        consumed = now_consumed
    if held:
        yield Batch(held, consumed)
