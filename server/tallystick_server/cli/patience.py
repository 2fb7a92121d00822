"""How long a request goes on being tried: with growing pauses, or the one that `Retry-After` asks for, until its time is over.

Promises: neither a pause nor the silence of a request goes beyond `give_up_after_s`; where a longer pause is asked for, the last try is a
second before the end.
Does not: know what may be sent twice (who asks here says so by asking), nor end an answer that comes drop by drop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from .client import ANSWER_TIMEOUT_S, Refused, Unreachable
from .failure import Failure

# Refusals that pass by themselves: too slow, too many, a proxy without an appliance behind it, an appliance that starts.
PASSING: Final = frozenset({408, 429, 502, 503, 504})
_PAUSE_FIRST_S: Final = 0.25
_PAUSE_MAX_S: Final = 10.0
_ASKED_PAUSE_MAX_S: Final = 60.0
# What is left for the last try.
_LAST_TRY_S: Final = 1.0

T = TypeVar("T")


class Pauses(Protocol):
    """Waiting, and the time that it takes; a test brings its own."""

    def elapsed_s(self) -> float:
        """Return seconds from a point that does not move."""
        ...

    def pause(self, seconds: float) -> bool:
        """Wait; return False when the work was called off meanwhile."""
        ...


class RealPauses:
    """The real time; `call_off` ends every pause at once."""

    def __init__(self) -> None:
        self._called_off = threading.Event()

    def elapsed_s(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()

    def pause(self, seconds: float) -> bool:
        """Wait; False when called off."""
        return not self._called_off.wait(seconds)

    def call_off(self) -> None:
        """End all pauses, now and from now on."""
        self._called_off.set()


class GaveUp(Failure):
    """The time was over before an answer came."""


class CalledOff(Failure):
    """The work was stopped while a request waited for its next turn."""


class Patience:
    """Tries requests; safe to use from several threads."""

    def __init__(
        self,
        pauses: Pauses,
        *,
        give_up_after_s: float,
        on_wait: Callable[[str], None],
        passing: frozenset[int] = PASSING,
    ) -> None:
        self._pauses, self._give_up_after_s = pauses, give_up_after_s
        self._on_wait, self._passing = on_wait, passing

    def ask(self, send: Callable[[float], T]) -> T:
        """Return what `send` returns, which is given the seconds that it may wait. Raises `Refused`, `GaveUp`, `CalledOff`."""
        started_s, pause_s = self._pauses.elapsed_s(), _PAUSE_FIRST_S
        while True:
            left_s = self._give_up_after_s - (self._pauses.elapsed_s() - started_s)
            try:
                return send(min(left_s, ANSWER_TIMEOUT_S))
            except Unreachable as error:
                reason, asked_s = str(error), None
            except Refused as refused:
                if refused.status not in self._passing:
                    raise
                reason, asked_s = str(refused), refused.retry_after_s
            rest_s = started_s + self._give_up_after_s - self._pauses.elapsed_s()
            next_s = pause_s if asked_s is None else min(asked_s, _ASKED_PAUSE_MAX_S)
            if rest_s <= _LAST_TRY_S:
                raise self._gave_up(started_s, reason)
            self._on_wait(reason)
            if not self._pauses.pause(min(next_s, rest_s - _LAST_TRY_S)):
                raise CalledOff("stopped")
            # A pause may last longer than it was meant to: a program can be stopped meanwhile.
            if self._pauses.elapsed_s() - started_s >= self._give_up_after_s:
                raise self._gave_up(started_s, reason)
            pause_s = min(pause_s * 2, _PAUSE_MAX_S)

    def _gave_up(self, started_s: float, reason: str) -> GaveUp:
        return GaveUp(f"gave up after {self._pauses.elapsed_s() - started_s:.0f} s: {reason}")
