"""How the hash chain looks in JSON: hashes in hexadecimal."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tallystick.log_head import LogHead
from tallystick.store import BlockSummary, VerifyReport
from tallystick_server.json_values import Timestamp, timestamp

from .verification import Ended, Outcome, Running, Verification

Hash = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[0-9a-f]*$"}, examples=["9f86d081884c7d65…"])]


class LogHeadOut(msgspec.Struct):
    """Where the log ends: the last position given, the last block and its hash."""

    position: int
    block: int
    hash: Hash


class BlockOut(msgspec.Struct, kw_only=True):
    """One block: `hash` covers `previous_hash`, the header and the payload."""

    number: int
    kind: str
    position: int
    record_count: int
    written_at: Timestamp
    payload_bytes: int
    previous_hash: Hash
    hash: Hash


class BlocksOut(msgspec.Struct):
    """A page of blocks, newest first."""

    items: list[BlockOut]
    next_cursor: str | None


class VerifyOut(msgspec.Struct, kw_only=True):
    """What verification found; `first_bad_position` is null when everything agrees."""

    ok: bool
    head: LogHeadOut
    blocks: int
    events: int
    first_bad_position: int | None
    problems: list[str]


class RunningVerificationOut(msgspec.Struct, kw_only=True):
    """How far it is: `done` of `total` positions of the log are walked; `step` is `walk`, then `compare`."""

    started_at: Timestamp
    step: str
    done: int
    total: int


class EndedVerificationOut(msgspec.Struct, kw_only=True):
    """How a verification ended; `report` is null and `detail` says why where it did not come to its end."""

    started_at: Timestamp
    ended_at: Timestamp
    outcome: Outcome
    detail: str
    report: VerifyOut | None


class VerificationOut(msgspec.Struct):
    """The verification that runs, and the last one that ended; null where there is none since the appliance was started."""

    running: RunningVerificationOut | None
    last: EndedVerificationOut | None


def log_head_out(head: LogHead) -> LogHeadOut:
    """Return the head as it is answered."""
    return LogHeadOut(head.position, head.block, head.hash.hex())


def block_out(block: BlockSummary) -> BlockOut:
    """Return a block as it is answered."""
    return BlockOut(
        number=block.number,
        kind=block.kind,
        position=block.position,
        record_count=block.record_count,
        written_at=timestamp(block.written_at),
        payload_bytes=block.payload_bytes,
        previous_hash=block.previous_hash.hex(),
        hash=block.hash.hex(),
    )


def verify_out(report: VerifyReport) -> VerifyOut:
    """Return a report as it is answered."""
    return VerifyOut(
        ok=report.first_bad_position is None and not report.problems,
        head=log_head_out(report.head),
        blocks=report.blocks,
        events=report.events,
        first_bad_position=report.first_bad_position,
        problems=report.problems,
    )


def verification_out(verification: Verification) -> VerificationOut:
    """Return what runs and what ended as it is answered."""
    running, last = verification.running, verification.last
    return VerificationOut(
        None if running is None else _running_out(running), None if last is None else ended_out(last)
    )


def _running_out(running: Running) -> RunningVerificationOut:
    progress = running.progress
    return RunningVerificationOut(
        started_at=timestamp(running.started_at), step=progress.step, done=progress.done, total=progress.total
    )


def ended_out(ended: Ended) -> EndedVerificationOut:
    """Return one that is over as it is answered."""
    return EndedVerificationOut(
        started_at=timestamp(ended.started_at),
        ended_at=timestamp(ended.ended_at),
        outcome=ended.outcome,
        detail=ended.detail,
        report=None if ended.report is None else verify_out(ended.report),
    )
