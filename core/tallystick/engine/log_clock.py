"""What time it is for a question: now, or when the log reached the position that the question is `as_of`.

So a level that still stands, or a machine that is still on, is counted up to the same instant whenever such a question is asked again.
"""

from __future__ import annotations

from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.instant import EARLIEST, Clock, Instant
from tallystick.log.event_log import EventLog


class LogClock:
    """A `Clock` that stands still at the time at which a position was written; before the first one, at the beginning of time.

    Raises `InvalidQuestion` for a position that the log has not reached.
    """

    def __init__(self, log: EventLog, position: Position) -> None:
        self._log, self._position = log, position

    def now(self) -> Instant:
        """Return when the block that holds the position was written."""
        if self._position == 0:
            return EARLIEST
        if self._position > self._log.head.position:
            raise InvalidQuestion("as_of", f"the log ends at {self._log.head.position}")
        return self._log.block_at(self._position).written_at


def clock_of(as_of: Position | None, *, log: EventLog, clock: Clock) -> Clock:
    """Return the clock of a question."""
    return clock if as_of is None else LogClock(log, as_of)
