"""A clock that stands still until a test moves it."""

from __future__ import annotations

from tallystick.instant import NS_PER_S, Instant, parse_instant


class ManualClock:
    """A `Clock` for tests; starts at a fixed instant, so that a run can be replayed."""

    def __init__(self, start: str = "2026-11-01T12:00:00Z") -> None:
        self._now = int(parse_instant(start))

    def now(self) -> Instant:
        """Return the instant the test has set."""
        return Instant(self._now)

    def advance(self, seconds: float) -> None:
        """Move the clock; negative seconds move it back, as an operator may."""
        self._now += round(seconds * NS_PER_S)
