"""Giving up work that nobody waits for any more: a scan whose client went away, or took too long.

Promises: what runs within a `Cancellation` ends soon after `cancel` was called, whoever called it: a scan between two pieces of its columns
(tens of milliseconds), everything else where it next asks. It then raises `Cancelled`.
How: the work finds its cancellation in a context variable of its thread, so that no function in between has to hand it on; what it gives
to other threads takes it along with `while_wanted`. Scans go through `collected`, which lets Polars run them on its own threads and tells
it to stop.
Does not: stop Python code that never asks; loops over pieces call `check_cancelled`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import Final, TypeVar

import polars as pl
from polars.exceptions import ComputeError

from .errors import TallystickError

T = TypeVar("T")


class Cancelled(TallystickError):
    """The work was given up: nobody waits for it."""


class Cancellation:
    """One piece of work that can be given up. `cancel` may be called from any thread, at any time, more than once."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._stops: set[Callable[[], None]] = set()
        self._is_cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """Whether the work was given up."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Give the work up."""
        with self._guard:
            self._is_cancelled = True
            for stop in self._stops:
                stop()

    def run(self, call: Callable[[], T]) -> T:
        """Do the work on this thread. Raises `Cancelled` once it was given up."""
        token = _CURRENT.set(self)
        try:
            self.check()
            return call()
        finally:
            _CURRENT.reset(token)

    def check(self) -> None:
        """Raise `Cancelled` if the work was given up."""
        if self._is_cancelled:
            raise Cancelled("nobody waits for the answer any more")

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Collect a frame, stopping where the work is given up."""
        self.check()
        query = frame.collect(engine="streaming", background=True)
        stop = query.cancel
        with self._guard:
            self._stops.add(stop)
            if self._is_cancelled:
                stop()
        try:
            done = query.fetch_blocking()
        except ComputeError:
            self.check()  # Polars says no more than that the query was interrupted
            raise
        finally:
            with self._guard:
                self._stops.discard(stop)
        self.check()  # a short one may be through before it heard of the stop
        return done


_CURRENT: Final[ContextVar[Cancellation | None]] = ContextVar("cancellation", default=None)


def collected(frame: pl.LazyFrame) -> pl.DataFrame:
    """Collect a frame with the streaming engine, within the cancellation of this thread if there is one. Raises `Cancelled`.

    Streaming folds frame by frame, in a third of the time and memory of the in-memory engine. In the background it costs nothing more.
    """
    current = _CURRENT.get()
    return frame.collect(engine="streaming") if current is None else current.collect(frame)


def while_wanted(call: Callable[[], T]) -> Callable[[], T]:
    """Return the call for another thread, where it is given up with the work of this one."""
    current = _CURRENT.get()
    return call if current is None else lambda: current.run(call)


def check_cancelled() -> None:
    """Raise `Cancelled` if the work on this thread was given up; for loops between scans."""
    current = _CURRENT.get()
    if current is not None:
        current.check()
