"""A delivery: one message on its way to one channel. The outbox is the deliveries that are not over yet.

Promises: a delivery's id is given once, in the commit of the steps that it tells of, and never changes: it is the `webhook-id` of every
attempt, so that a receiver can tell a repetition from news. It names the delivery's place in the log and 8 random bytes, since a restored
backup gives the same places to other messages.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from tallystick.instant import NS_PER_HOUR, Instant

from .signal import Digest
from .step import Step

# For how long a delivery is tried, from the commit that made it or from the moment somebody asked for it again.
TRIED_FOR_NS: Final = 24 * NS_PER_HOUR
# Of a summary that tells of more signals than this, the order is kept to every signal.
LANES_MAX: Final = 64
EVERY_LANE: Final = "*"
_ID: Final = re.compile(r"msg_([0-9]{1,19})_([0-9]{1,9})_([0-9a-f]{16})", re.ASCII)


class DeliveryEvent(StrEnum):
    """What a message tells."""

    FIRED = "signal.fired"
    RECOVERED = "signal.recovered"
    DIGEST = "signal.digest"
    TEST = "channel.test"


class DeliveryState(StrEnum):
    """Where a delivery stands. The first two are not over; `joined` went on as part of another one."""

    WAITING = "waiting"
    HELD = "held"
    DELIVERED = "delivered"
    FAILED = "failed"
    JOINED = "joined"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What an attempt came to: it is done, to be tried again, or given up."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"


class DeliveryName(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A delivery's place in the log: the position of its record, and which of the record's deliveries it is."""

    position: int
    place: int


class SignalCount(msgspec.Struct, frozen=True, array_like=True):
    """How many steps of one signal a summary joins."""

    signal: str
    fired: int
    recovered: int


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """Many steps as one message: how many, by signal (the largest counts), and the steps that stand out.

    `is_storm` tells many steps at once from a digest that the signal asked for.
    """

    is_storm: bool
    fired: int
    recovered: int
    first_at: Instant
    last_at: Instant
    by_signal: tuple[SignalCount, ...]
    top: tuple[Step, ...]


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A delivery as the log's record makes it: of one `step`, of a `summary`, or (a test) of neither.

    `members` are the deliveries that it takes the place of. It is not sent before `due_at`; with a `digest` it is only held until then.
    `signals` are the lanes: of one channel, deliveries that share a lane are sent in the order of the log.
    """

    channel: str
    event: DeliveryEvent
    created_at: Instant
    due_at: Instant
    digest: Digest = Digest.NONE
    signals: tuple[str, ...] = ()
    step: Step | None = None
    summary: Summary | None = None
    members: tuple[DeliveryName, ...] = ()


class Attempt(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One try: what came of it, `status` of an HTTP answer, `detail` what the receiver or the network said (cut).

    `due_at` is when to try again, if at all.
    """

    name: DeliveryName
    at: Instant
    duration_ms: int
    outcome: Outcome
    status: int | None = None
    detail: str = ""
    due_at: Instant | None = None


class Redelivery(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A delivery that is to be sent once more, with what the outbox must know of it."""

    name: DeliveryName
    at: Instant
    channel: str
    event: DeliveryEvent
    signals: tuple[str, ...]


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A delivery that is given up without a further attempt: `state` is `failed` or `cancelled`."""

    name: DeliveryName
    channel: str
    state: DeliveryState
    reason: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it is now. `attempts` are the latest; `attempt_count` counts all.

    `tried_from` is when the 24 hours began in which it is tried.
    """

    name: DeliveryName
    token: str
    channel: str
    event: DeliveryEvent
    state: DeliveryState
    created_at: Instant
    tried_from: Instant
    due_at: Instant | None
    signals: tuple[str, ...]
    step: Step | None
    summary: Summary | None
    attempts: tuple[Attempt, ...] = ()
    attempt_count: int = 0
    finished_at: Instant | None = None
    joined_into: DeliveryName | None = None
    joined_token: str = ""
    reason: str | None = None

    @property
    def id(self) -> str:
        """The id that people and receivers know it by."""
        return delivery_id(self.name, self.token)

    @property
    def joined_into_id(self) -> str | None:
        """The id of the delivery that it became part of."""
        return None if self.joined_into is None else delivery_id(self.joined_into, self.joined_token)

    @property
    def is_over(self) -> bool:
        """Whether it is sent no more, unless somebody asks."""
        return self.state not in (DeliveryState.WAITING, DeliveryState.HELD)


def delivery_id(name: DeliveryName, token: str) -> str:
    """Return the id of a delivery: no dot in it, since signatures are over `id.timestamp.body`."""
    return f"msg_{name.position}_{name.place}_{token}"


def parsed_delivery_id(text: str) -> tuple[DeliveryName, str] | None:
    """Return name and token of an id, None for what is none."""
    match = _ID.fullmatch(text)
    if match is None or int(match.group(1)) >= 1 << 63 or int(match.group(2)) >= 1 << 32:
        return None
    return DeliveryName(int(match.group(1)), int(match.group(2))), match.group(3)
