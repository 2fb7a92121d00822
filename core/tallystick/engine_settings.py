"""The engine's limits. Every queue, cache and age has one; the defaults suit two cores and two gigabytes."""

from __future__ import annotations

import msgspec


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set.

    `queue_events_max` and `queue_bytes_max` bound what waits for the writer; past either, a request is refused with `Overloaded`.
    `group_events_max` bounds one commit. `checkpoint_events` and `checkpoint_age_s` bound the live tail, and so the time a recovery takes.
    `dedupe_window_s` is None for ever: an id sent again later than that counts as a new event.
    `disk_free_min_bytes` is kept free: a write that would go below it is refused with `StoreFull`, so that checkpoints still have room.
    `partials_memory_bytes` and `partials_disk_bytes` bound the states kept for questions that come again; 0 of either goes without it.
    `columns_memory_bytes` bounds the columns of events that were decoded for questions and may serve the next.
    """

    queue_events_max: int = 200_000
    queue_bytes_max: int = 128 * 1024 * 1024
    group_events_max: int = 20_000
    checkpoint_events: int = 262_144
    checkpoint_age_s: int = 300
    dedupe_window_s: int | None = None
    disk_free_min_bytes: int = 64 * 1024 * 1024
    quarantine_entries_max: int = 100_000
    block_cache_bytes: int = 96 * 1024 * 1024
    partials_memory_bytes: int = 128 * 1024 * 1024
    partials_disk_bytes: int = 1024 * 1024 * 1024
    columns_memory_bytes: int = 128 * 1024 * 1024
    map_bytes_max: int = 1 << 40
