"""How the status looks in JSON."""

from __future__ import annotations

import msgspec

from tallystick.instant import NS_PER_S, Instant
from tallystick.store import Health
from tallystick_server.json_values import Timestamp, timestamp
from tallystick_server.log.schemas import LogHeadOut, VerificationOut, log_head_out


class CountsOut(msgspec.Struct, kw_only=True):
    """What became of events since the appliance was started; ask twice for a rate. `conflicts` are among the `rejected` too."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    commits: int
    commit_seconds: float


class StorageOut(msgspec.Struct, kw_only=True):
    """What is on disk beside the log: files of columns, and states that are kept for questions."""

    disk_free_bytes: int
    segments: int
    segments_bytes: int
    partials_disk_bytes: int
    partials_memory_bytes: int


class StatusOut(msgspec.Struct, kw_only=True):
    """The appliance as it is now.

    `tail_events` are in the log and in memory, and in no segment yet; `queued_events` wait for the writer.
    """

    version: str
    started_at: Timestamp
    time: Timestamp
    uptime_s: int
    ready: bool
    reason: str
    head: LogHeadOut
    events: int
    tail_events: int
    queued_events: int
    since_start: CountsOut
    storage: StorageOut
    deliveries_waiting: int
    channels_disabled: int
    verification: VerificationOut


def status_out(
    health: Health,
    *,
    version: str,
    started_at: Instant,
    now: Instant,
    deliveries_waiting: int,
    channels_disabled: int,
    verification: VerificationOut,
) -> StatusOut:
    """Return the status as it is answered."""
    counts = health.counters
    return StatusOut(
        version=version,
        started_at=timestamp(started_at),
        time=timestamp(now),
        uptime_s=max(now - started_at, 0) // NS_PER_S,
        ready=health.ready,
        reason=health.reason,
        head=log_head_out(health.head),
        events=health.event_count,
        tail_events=health.tail_events,
        queued_events=health.queued_events,
        since_start=CountsOut(
            accepted=counts["accepted"],
            duplicates=counts["duplicates"],
            conflicts=counts["conflicts"],
            rejected=counts["rejected"],
            commits=counts["commits"],
            commit_seconds=round(counts["commit_ns"] / NS_PER_S, 6),
        ),
        storage=StorageOut(
            disk_free_bytes=health.disk_free_bytes,
            segments=health.gauges["segments"],
            segments_bytes=health.gauges["segments_bytes"],
            partials_disk_bytes=health.gauges["partials_disk_bytes"],
            partials_memory_bytes=health.gauges["partials_memory_bytes"],
        ),
        deliveries_waiting=deliveries_waiting,
        channels_disabled=channels_disabled,
        verification=verification,
    )
