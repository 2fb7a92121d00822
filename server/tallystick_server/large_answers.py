"""Answers too large for one piece: written a piece at a time, as fast as their readers read.

Promises: an answer in memory has one of `places_max` places for as long as somebody reads it; past them a further one is refused with 503
and `Retry-After`, so that slow readers cannot fill the memory. A reader who stops reading is cut off (see `front`). Pieces are made on a
thread of their own, one at a time: neither the event loop nor a scan waits for them.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from .problem import busy


class LargeAnswers:
    """The places, and the thread that writes."""

    def __init__(self, *, places_max: int) -> None:
        self._places_max = places_max
        self.taken = 0
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tallystick-answers")

    def begin(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Return the pieces as they are made. The place is given back at the end, or when nobody holds them. Raises `Refusal` (503)."""
        if self.taken >= self._places_max:
            raise busy(f"{self.taken} large answers are being read: try again, or ask for less", retry_after_s=5)
        self.taken += 1
        written = _Pieces(pieces, self._executor)
        # A reader may go away before the first piece, when no `finally` of a generator would run.
        weakref.finalize(written, self._release)
        return written

    def _release(self) -> None:
        self.taken -= 1

    def close(self) -> None:
        """Write no further piece."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class _Pieces:
    def __init__(self, pieces: Iterator[bytes], executor: ThreadPoolExecutor) -> None:
        self._pieces, self._executor = pieces, executor

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await asyncio.get_running_loop().run_in_executor(self._executor, next, self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        return piece
