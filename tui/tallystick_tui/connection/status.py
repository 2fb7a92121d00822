"""What the appliance is doing: the answer of `GET /v1/status`, and of `GET /v1/log/verification` within it."""

from __future__ import annotations

import msgspec


class LogHead(msgspec.Struct, frozen=True):
    """Where the log ends."""

    position: int
    block: int
    hash: str


class Counts(msgspec.Struct, frozen=True):
    """What became of events since the appliance was started."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    commits: int
    commit_seconds: float


class Storage(msgspec.Struct, frozen=True):
    """What is on disk beside the log."""

    disk_free_bytes: int
    segments: int
    segments_bytes: int
    partials_disk_bytes: int
    partials_memory_bytes: int


class VerifyReport(msgspec.Struct, frozen=True):
    """What a verification found."""

    ok: bool
    head: LogHead
    blocks: int
    events: int
    first_bad_position: int | None
    problems: list[str]


class RunningVerification(msgspec.Struct, frozen=True):
    """How far a verification is: so many positions of the log."""

    started_at: str
    step: str
    done: int
    total: int


class EndedVerification(msgspec.Struct, frozen=True):
    """How one ended: `agrees`, `differs`, `stopped`, `failed`."""

    started_at: str
    ended_at: str
    outcome: str
    detail: str
    report: VerifyReport | None


class Verification(msgspec.Struct, frozen=True):
    """The one that runs, and the last one since the appliance was started."""

    running: RunningVerification | None
    last: EndedVerification | None


class Status(msgspec.Struct, frozen=True):
    """The appliance as it is now."""

    version: str
    started_at: str
    time: str
    ready: bool
    reason: str
    head: LogHead
    events: int
    tail_events: int
    queued_events: int
    since_start: Counts
    storage: Storage
    deliveries_waiting: int
    channels_disabled: int
    verification: Verification
