"""The valid events of one request, as columns, and the rejections of the others.

Columns rather than objects, because the acknowledged path costs about a microsecond an event: each list is filled, checked and
written by one call in C. Decoders make batches (see `decode`), the writer admits them into the log.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from .rejection import Rejected


class RejectedEvent(msgspec.Struct, frozen=True):
    """A rejection with the event as it was sent (cut at `RAW_BYTES_MAX`), for the quarantine."""

    rejected: Rejected
    raw: bytes


RAW_BYTES_MAX = 65_536


class EventBatch(msgspec.Struct, kw_only=True, gc=False):
    """All columns have one entry for each valid event, in the order of the request.

    `indexes` is the place of each in the request. `ids` are filled in where the sender gave none (see `decode.derived_id`).
    `times` are Int64 nanoseconds, the arrival where `times_given` is False. `values` are canonical amounts (`amount.canonical_amount`).
    `properties` are canonical JSON objects: UTF-8 without spaces, names sorted, numbers as canonical amounts; `{}` when there are none.
    `received_at` is the arrival of the request. `media_type` says what the `raw` bytes of rejections are written in.
    """

    received_at: int
    indexes: list[int] | range
    sources: list[str]
    ids: list[str]
    types: list[str]
    customers: list[str]
    times: npt.NDArray[np.int64]
    times_given: npt.NDArray[np.bool_]
    values: list[str]
    properties: list[bytes]
    rejected: list[RejectedEvent]
    media_type: str = "application/json"
    decoded_bytes: int = 0

    def __len__(self) -> int:
        return len(self.ids)


def empty_batch(
    received_at: int, **columns: Any
) -> EventBatch:  # Any: the columns of EventBatch, checked by its constructor
    """Return a batch without events, with the given columns in place of empty ones."""
    empty: dict[str, Any] = {
        "indexes": [],
        "sources": [],
        "ids": [],
        "types": [],
        "customers": [],
        "values": [],
        "properties": [],
        "rejected": [],
        "times": np.empty(0, np.int64),
        "times_given": np.empty(0, np.bool_),
    }
    return EventBatch(received_at=received_at, **(empty | columns))
