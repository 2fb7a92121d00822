"""The fastest path: a whole JSON body read by the compiled library into columns in one piece, or None at the slightest doubt.

Promises: what it answers is what `event_rules` answers event by event. Does not: say what is wrong, make ids, or take as much as
one event of a body in which any other is unusual; the slower paths do.
Costs a fifth of a microsecond an event, without the interpreter.
"""

from __future__ import annotations

import threading
from enum import IntEnum
from typing import Final

import numpy as np

from tallystick.native.library import NATIVE, NativeLibrary
from tallystick.packed_events import PackedEvents

from .fast_columns import Moment
from .limits import DecodeLimits

# Giving other threads their turn, and waiting for one's own again, costs more than reading so few bytes.
_SHORT_BYTES: Final = 16_384
_BODY_BYTES_MIN: Final = 65_536
# Enough for a body of 10,000 usual events; larger ones are so rare that their scratch is not kept.
_SCRATCH_KEPT_BYTES: Final = 8 * 1024 * 1024


class NativeForm(IntEnum):
    """The bodies that the library reads, as it numbers them."""

    JSON = 0
    LINES = 1


class _Scratch(threading.local):
    """Memory for the library's notes, one piece a thread."""

    def __init__(self) -> None:
        self.take(0)

    def take(self, size: int) -> None:
        """Take another piece; nothing is known to fit into it yet."""
        self.memory = np.empty(size, np.uint8)
        self.size, self.address = size, int(self.memory.ctypes.data)
        self.body_bytes_max = self.events_max = 0

    def make_room(self, library: NativeLibrary, body_bytes: int, events_max: int) -> bool:
        """Make the piece large enough for a body; false if no piece is. What a larger body needed is enough for a smaller one."""
        size = int(library.short.scratch_size(body_bytes, events_max))
        if size > self.size:
            self.take(size)
        self.body_bytes_max, self.events_max = body_bytes, events_max
        return size > 0


_SCRATCH: Final = _Scratch()


def read_natively(body: bytes, form: NativeForm, *, limits: DecodeLimits, moment: Moment) -> PackedEvents | None:
    """Return the events of a body of which each is plainly right and has an id; None where the slower paths have to look."""
    if NATIVE is None:
        return None
    scratch = _SCRATCH
    size = len(body)
    fits = size <= scratch.body_bytes_max and limits.events_max <= scratch.events_max
    if not fits and not scratch.make_room(NATIVE, max(size, _BODY_BYTES_MIN), limits.events_max):
        return None
    try:
        return _read(NATIVE, scratch.address, body, form, limits, moment)
    finally:
        if scratch.size > _SCRATCH_KEPT_BYTES:
            scratch.take(0)


def _read(
    library: NativeLibrary, scratch: int, body: bytes, form: NativeForm, limits: DecodeLimits, moment: Moment
) -> PackedEvents | None:
    functions = library.short if len(body) < _SHORT_BYTES else library.long
    size = functions.read_body(body, len(body), form, limits.events_max, moment.received_at, moment.latest, scratch)
    if not size:
        return None
    pack = library.new_bytes(None, size)
    functions.lay_out(scratch, pack)
    return PackedEvents(pack)
