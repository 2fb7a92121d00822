"""Answers too large for one piece: written a piece at a time, as fast as their readers read.

Promises: an answer in memory has one of `places_max` places for as long as somebody reads it; past them a further one is refused with 503
and `Retry-After`, so that slow readers cannot fill the memory. A reader who stops reading is cut off, and whatever becomes of a request,
its end gives the place back (see `front`). Pieces are made on a thread of their own, one at a time: neither the event loop nor a scan waits
for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .problem import busy

_HELD = "large_answers"


class LargeAnswers:
    """The places, and the thread that writes."""

    def __init__(self, *, places_max: int) -> None:
        self._places_max = places_max
        self.taken = 0
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tallystick-answers")

    def begin(self, pieces: Iterator[bytes], state: dict[str, Any]) -> AsyncIterator[bytes]:  # Any: ASGI's mapping
        """Return the pieces as they are made, for the request of this state, at whose end `end` is called. Raises `Refusal` (503)."""
        if self.taken >= self._places_max:
            raise busy(f"{self.taken} large answers are being read: try again, or ask for less", retry_after_s=5)
        self.taken += 1
        state[_HELD] = state.get(_HELD, 0) + 1
        return _Pieces(pieces, self._executor)

    def end(self, state: dict[str, Any]) -> None:  # Any: as above
        """Give back what a request holds; it has ended.

        No `finally` of a generator would do: a reader may go away before the first piece.
        """
        self.taken -= state.pop(_HELD, 0)

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
