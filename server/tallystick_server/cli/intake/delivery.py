"""Delivery of one batch: sent until the appliance says what became of it.

Promises: a batch is sent again after a lost connection, 429, 500, 502, 503 and 504, with growing pauses or the one that `Retry-After`
asks for; since every event carries an id, sending again counts nothing twice. Gives up after `give_up_after_s` without any answer.
Does not: look into events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from tallystick_server.cli.client import ApplianceClient, Refused, Unreachable
from tallystick_server.cli.failure import Failure

from .batch import Batch
from .record import Record

_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
_TOO_LARGE: Final = 413
_BAD_BODY: Final = 400
_ALL_REJECTED: Final = 422
_PAUSE_FIRST_S: Final = 0.25
_PAUSE_MAX_S: Final = 10.0


class RejectedRecord(msgspec.Struct, frozen=True):
    """A record that was not counted, and why."""

    record: Record
    code: str
    detail: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of the records of a batch; `conflicts` are among the `rejected` too."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: list[RejectedRecord] = []

    def plus(self, other: Outcome) -> Outcome:
        """Return both together."""
        return Outcome(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.conflicts + other.conflicts,
            [*self.rejected, *other.rejected],
        )


class IngestRejected(msgspec.Struct, frozen=True):
    """One rejected event, as the appliance answers it."""

    index: int
    code: str
    detail: str


class IngestReply(msgspec.Struct, frozen=True):
    """What the appliance answers to a batch."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: list[IngestRejected]


class Pauses(Protocol):
    """Waiting, and the time that it takes; a test brings its own."""

    def elapsed_s(self) -> float:
        """Return seconds from a point that does not move."""
        ...

    def pause(self, seconds: float) -> bool:
        """Wait; return False when the work was called off meanwhile."""
        ...


class CalledOff(Failure):
    """The import was stopped while this batch waited."""


class Delivery:
    """Sends batches; safe to use from several threads."""

    def __init__(
        self,
        client: ApplianceClient,
        pauses: Pauses,
        *,
        give_up_after_s: float,
        on_wait: Callable[[str], None],
    ) -> None:
        self._client, self._pauses = client, pauses
        self._give_up_after_s, self._on_wait = give_up_after_s, on_wait

    def deliver(self, batch: Batch) -> Outcome:
        """Send the batch until it is answered. Raises `Failure` when that has no hope, or not any more."""
        try:
            return _outcome(self._answer(batch.body()), batch)
        except Refused as refused:
            if refused.status == _ALL_REJECTED and (reply := _reply_of(refused.body)) is not None:
                return _outcome(reply, batch)
            if refused.status not in {_TOO_LARGE, _BAD_BODY, _ALL_REJECTED}:
                raise
            # One record spoils the request, or it is too much at once: the halves tell.
            if len(batch.records) == 1:
                code = "body_too_large" if refused.status == _TOO_LARGE else "invalid_event"
                return Outcome(rejected=[RejectedRecord(batch.records[0], code, str(refused))])
            first, second = batch.halves()
            return self.deliver(first).plus(self.deliver(second))

    def _answer(self, body: bytes) -> IngestReply:
        started_s = self._pauses.elapsed_s()
        pause_s = _PAUSE_FIRST_S
        while True:
            try:
                return _decoded(
                    self._client.call(
                        "POST", "/v1/events", content=body, headers={"Content-Type": "application/x-ndjson"}
                    )
                )
            except Unreachable as error:
                reason, asked_s = str(error), None
            except Refused as refused:
                if refused.status not in _AGAIN:
                    raise
                reason, asked_s = str(refused), refused.retry_after_s
            waited_s = self._pauses.elapsed_s() - started_s
            if waited_s >= self._give_up_after_s:
                raise Failure(
                    f"gave up after {waited_s:.0f} s: {reason}; what was acknowledged is kept, "
                    "and running the same command again counts nothing twice"
                )
            self._on_wait(reason)
            if not self._pauses.pause(pause_s if asked_s is None else min(asked_s, 60.0)):
                raise CalledOff("stopped")
            pause_s = min(pause_s * 2, _PAUSE_MAX_S)


def _decoded(body: bytes) -> IngestReply:
    reply = _reply_of(body)
    if reply is None:
        raise Failure("the answer is not one of a tallystick appliance; check --url")
    return reply


def _reply_of(body: bytes) -> IngestReply | None:
    try:
        return msgspec.json.decode(body, type=IngestReply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _outcome(reply: IngestReply, batch: Batch) -> Outcome:
    counted = reply.accepted + reply.duplicates + len(reply.rejected)
    if counted != len(batch.records) or any(one.index >= len(batch.records) for one in reply.rejected):
        raise Failure(f"the appliance answered for {counted} events out of {len(batch.records)}; nothing more was sent")
    rejected = [RejectedRecord(batch.records[one.index], one.code, one.detail) for one in reply.rejected]
    return Outcome(reply.accepted, reply.duplicates, reply.conflicts, rejected)
