"""The last fifteen minutes of the trace, sent live as they happened, only faster; and, if asked, a kill -9 in their middle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from tallystick.instant import NS_PER_S, Instant
from tallystick_server.cli.client import ApplianceClient
from tallystick_server.cli.intake.delivery import Outcome
from tallystick_server.cli.terminal import ProgressBar, Terminal, shown

from .interruption import LOOK_EVERY_S, Interruption
from .senders import Senders
from .throwaway_appliance import ThrowawayAppliance
from .trace import HISTORY_S, Request, event_json

# Every so many batches are sent a second time, as a gateway does that lost the answer.
RESEND_EVERY: Final = 8
# So many events are put under way in small batches at the moment of the kill, so that some are anywhere between queue and disk.
_CRASH_EVENTS: Final = 600
_CRASH_BATCH: Final = 5


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What the replay came to; `known` are re-sent events that were on disk though their answer was lost in the crash."""

    took_s: float
    resent: int
    duplicates: int
    known: int


class Answered:
    """Moves the bar as answers come; called from several threads."""

    def __init__(self, bar: ProgressBar, text: str, total: int) -> None:
        self._bar, self._text, self._total = bar, text, total
        self._lock = threading.Lock()
        self._count = 0
        self._started_s = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        """Count an answer."""
        with self._lock:
            self._count += outcome.accepted + outcome.duplicates
            rate = self._count / max(time.monotonic() - self._started_s, 0.001)
            text = f"{self._text}: {self._count:,} events, {rate:,.0f}/s"
            self._bar.show(min(self._count, self._total), self._total, text)


class Replay:
    """One replay of the requests, of which the first happened at `HISTORY_S`."""

    def __init__(
        self,
        requests: list[Request],
        start: Instant,
        interruption: Interruption,
        *,
        speed: float,
        crash: bool,
        is_hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        """Once `is_hurried` is so, what is left is sent at once."""
        self._interruption, self._is_hurried = interruption, is_hurried
        self._requests, self._start, self._speed = requests, start, speed
        self._crash_at = len(requests) // 2 if crash else None
        self._at = self._ticks = self._resent = 0

    def run(self, appliance: ThrowawayAppliance, client: ApplianceClient, terminal: Terminal) -> Replayed:
        """Send everything at its time, and return once all of it is acknowledged."""
        started_s = time.monotonic()
        with terminal.progress() as bar:
            answered = Answered(bar, f"replaying, {self._speed:g} times as fast", len(self._requests))
            with Senders(client, self._interruption, on_answer=answered) as senders:
                while self._at < len(self._requests):
                    if self._crash_at is not None and self._at >= self._crash_at:
                        self._crash_at = None
                        self._crash(appliance, senders, terminal)
                    elapsed_s = HISTORY_S + (time.monotonic() - started_s) * self._speed
                    self._send(senders, len(self._requests) if self._is_hurried() else self._due(elapsed_s))
                    self._interruption.sleep(LOOK_EVERY_S)
                senders.wait()
        known = senders.duplicates - self._resent
        took_s = time.monotonic() - started_s
        return Replayed(took_s=took_s, resent=self._resent, duplicates=senders.duplicates, known=known)

    def _due(self, elapsed_s: float) -> int:
        """Return how many requests had happened by then."""
        until = self._at
        while until < len(self._requests) and self._requests[until].offset_ns <= elapsed_s * NS_PER_S:
            until += 1
        return until

    def _send(self, senders: Senders, until: int) -> None:
        events = [event_json(request, self._start) for request in self._requests[self._at : until]]
        self._at = until
        if not events:
            return
        senders.send(events)
        if self._ticks % RESEND_EVERY == 0:
            senders.send(events)
            self._resent += len(events)
        self._ticks += 1

    def _crash(self, appliance: ThrowawayAppliance, senders: Senders, terminal: Terminal) -> None:
        """Kill it while batches are under way, start it again, and let the senders send again what was not acknowledged."""
        senders.wait()
        before = senders.acknowledged
        until = min(self._at + _CRASH_EVENTS, len(self._requests))
        for at in range(self._at, until, _CRASH_BATCH):
            batch = self._requests[at : min(at + _CRASH_BATCH, until)]
            senders.send([event_json(request, self._start) for request in batch])
        sent = until - self._at
        self._at = until
        senders.wait_for_acknowledged(before + sent // 3)
        appliance.kill()
        under_way = sent - (senders.acknowledged - before)
        terminal.step(f"kill -9, with {shown(under_way)} events under way and not acknowledged")
        ready_s = appliance.start()
        terminal.step(
            f"started again on the same directory, ready after {ready_s:.1f} s; what was not acknowledged is sent again"
        )
