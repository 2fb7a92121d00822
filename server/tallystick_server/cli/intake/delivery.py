"""Delivery of one batch: sent until the appliance says what became of it.

Promises: a batch is sent again after a lost connection and after refusals that pass, 500 among them, until `give_up_after_s` is over; since
every event carries an id, sending again counts nothing twice.
Does not: look into events, nor wait (see `patience`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tallystick_server.cli.client import ApplianceClient, Refused
from tallystick_server.cli.failure import Failure
from tallystick_server.cli.patience import PASSING, GaveUp, Patience, Pauses

from .batch import Batch
from .record import Record

# A fault of the appliance's own may be one of its disk, and is over when that is; what is sent is safe to send again.
_PASSING: Final = PASSING | {500}
_TOO_LARGE: Final = 413
_BAD_BODY: Final = 400
_ALL_REJECTED: Final = 422


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
        self._client = client
        self._patience = Patience(pauses, give_up_after_s=give_up_after_s, on_wait=on_wait, passing=_PASSING)

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
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            return _decoded(
                self._patience.ask(
                    lambda timeout_s: self._client.call(
                        "POST", "/v1/events", content=body, headers=headers, timeout_s=timeout_s
                    )
                )
            )
        except GaveUp as error:
            raise Failure(
                f"{error}; what was acknowledged is kept, and running the same command again counts nothing twice"
            ) from error


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
