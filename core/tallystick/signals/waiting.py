"""What the outbox keeps in memory of a delivery that is not over, and which of them may go now."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tallystick.instant import Instant

from .delivery import EVERY_LANE, DeliveryEvent, DeliveryName
from .signal import Digest


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is not over. `attempt_count` counts since it was last asked for, `tried_from` is when that was.

    `may_have_gone`: the process ended while it could have been on its way, so it keeps its own id and joins no other.
    """

    name: DeliveryName
    channel: str
    event: DeliveryEvent
    created_at: Instant
    due_at: Instant
    tried_from: Instant
    digest: Digest = Digest.NONE
    signals: tuple[str, ...] = ()
    attempt_count: int = 0
    may_have_gone: bool = False

    @property
    def is_held(self) -> bool:
        """Whether it waits for its digest: alone it is never sent."""
        return self.digest is not Digest.NONE


def sendable(
    queue: Iterable[Waiting], now: Instant, *, busy: frozenset[DeliveryName] | set[DeliveryName]
) -> list[Waiting]:
    """Return which of a channel's deliveries, given in the order of the log, may be sent now.

    One that shares a signal with an earlier one that is not over waits for it: what recovered must never arrive before what fired.
    """
    found: list[Waiting] = []
    lanes: set[str] = set()
    for waiting in queue:
        shares = lanes.intersection(waiting.signals) or EVERY_LANE in lanes or EVERY_LANE in waiting.signals
        # A test is of no signal, and waits for nothing.
        is_free = not (lanes and waiting.signals and shares)
        lanes.update(waiting.signals)
        if is_free and not waiting.is_held and waiting.due_at <= now and waiting.name not in busy:
            found.append(waiting)
    return found


def next_due_at(queue: Iterable[Waiting], *, busy: frozenset[DeliveryName] | set[DeliveryName]) -> Instant | None:
    """Return when a channel is to be looked at again, None if nothing waits but what is busy; lanes may make it later."""
    return min((waiting.due_at for waiting in queue if waiting.name not in busy), default=None)
