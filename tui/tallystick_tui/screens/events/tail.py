"""What lands, as a bounded list: the newest events, how many there were, and how fast.

Promises: memory is bounded by `ROWS_MAX` events and `WINDOW_S` of counts, however much lands; at a flood the appliance is asked for a
sample (`SAMPLE_PER_S`), so that neither side works more than for a trickle, and `is_sampled` says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

import msgspec

from tallystick_tui.connection.failure import Misunderstood

from .event import Event

ROWS_MAX: Final = 200
SAMPLE_PER_S: Final = 40
WINDOW_S: Final = 4.0
_BUCKET_S: Final = 0.1
_event: Final = msgspec.json.Decoder(Event)


class Missed(msgspec.Struct, frozen=True):
    """So many events were left out."""

    missed: int


_missed: Final = msgspec.json.Decoder(Missed)


class Tail:
    """The newest events. `now_s` is a clock that never jumps."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=ROWS_MAX)
        self.landed = 0
        # By tenths of a second: when, how many, and whether some of them were left out.
        self._counts: deque[tuple[float, int, bool]] = deque()
        self._began_s: float | None = None

    def add(self, event: Event, now_s: float) -> None:
        """Take an event that landed."""
        self.events.appendleft(event)
        self._count(1, now_s, is_sampled=False)

    def miss(self, count: int, now_s: float) -> None:
        """Take the count of events that were left out."""
        self._count(count, now_s, is_sampled=True)

    def begin(self, now_s: float) -> None:
        """Begin to count; before, nobody listened."""
        self._began_s = now_s
        self._counts.clear()

    def per_s(self, now_s: float) -> float:
        """Return how many landed a second, lately."""
        began_s = now_s if self._began_s is None else self._began_s
        passed_s = min(WINDOW_S, max(now_s - began_s, 1.0))
        return sum(count for at_s, count, _ in self._counts if now_s - at_s <= WINDOW_S) / passed_s

    def is_sampled(self, now_s: float) -> bool:
        """Return whether some of what landed lately was left out."""
        return any(is_sampled for at_s, _, is_sampled in self._counts if now_s - at_s <= WINDOW_S)

    def _count(self, count: int, now_s: float, *, is_sampled: bool) -> None:
        self.landed += count
        if self._counts and now_s - self._counts[-1][0] < _BUCKET_S:
            at_s, before, was_sampled = self._counts.pop()
            self._counts.append((at_s, before + count, was_sampled or is_sampled))
        else:
            self._counts.append((now_s, count, is_sampled))
        while self._counts and now_s - self._counts[0][0] > WINDOW_S:
            self._counts.popleft()


async def landing(lines: AsyncIterator[str]) -> AsyncGenerator[Event | Missed | None]:
    """Yield None once the stream is open, then what it sends. Raises `Misunderstood`."""
    kind = ""
    is_open = False
    async for line in lines:
        if not is_open:
            is_open = True
            yield None
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            try:
                if kind == "event":
                    yield _event.decode(value)
                elif kind == "missed":
                    yield _missed.decode(value)
            except msgspec.DecodeError as error:
                raise Misunderstood(f"the stream is not one of a tallystick appliance ({error})") from error


def merged(landed: Sequence[Event], listed: Sequence[Event], count_max: int) -> list[Event]:
    """Return what landed, newest first, and after it what was listed before; each event once, as it was answered last."""
    known = {event.position for event in landed}
    return [*landed, *(event for event in listed if event.position not in known)][:count_max]
