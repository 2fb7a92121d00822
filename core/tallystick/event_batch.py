"""The valid events of one request, as columns, and the rejections of the others.

Columns rather than objects, because the acknowledged path costs about a microsecond an event: each is filled, checked and
written by one call in C. Decoders make batches (see `decode`), the writer admits them into the log.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from .packed_events import PackedEvents
from .rejection import Rejected


class RejectedEvent(msgspec.Struct, frozen=True):
    """A rejection with the event as it was sent (cut at `RAW_BYTES_MAX`), for the quarantine."""

    rejected: Rejected
    raw: bytes


RAW_BYTES_MAX = 65_536


class EventLists(msgspec.Struct, kw_only=True, gc=False):
    """Valid events as lists; `PackedEvents` has the same columns in one piece, where they were read by the compiled library.

    `times` are Int64 nanoseconds, the arrival where `times_given` is False. `values` are canonical amounts (`amount.canonical_amount`).
    `properties` are canonical JSON objects: UTF-8 without spaces, names sorted, numbers as canonical amounts; `{}` when there are none.
    """

    sources: list[str]
    ids: list[str]
    types: list[str]
    customers: list[str]
    times: npt.NDArray[np.int64]
    times_given: npt.NDArray[np.bool_]
    values: list[str]
    properties: list[bytes]

    def __len__(self) -> int:
        return len(self.ids)


class EventBatch(msgspec.Struct, kw_only=True, gc=False):
    """`columns` have one entry for each valid event, in the order of the request; `indexes` is the place of each in the request.

    Ids are filled in where the sender gave none (see `decode.derived_id`). `received_at` is the arrival of the request.
    `media_type` says what the `raw` bytes of rejections are written in.
    """

    received_at: int
    indexes: list[int] | range
    columns: EventLists | PackedEvents
    rejected: list[RejectedEvent]
    media_type: str = "application/json"
    decoded_bytes: int = 0

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def sources(self) -> Sequence[str]:
        """See `EventLists`."""
        return self.columns.sources

    @property
    def ids(self) -> Sequence[str]:
        """See `EventLists`."""
        return self.columns.ids

    @property
    def types(self) -> Sequence[str]:
        """See `EventLists`."""
        return self.columns.types

    @property
    def customers(self) -> Sequence[str]:
        """See `EventLists`."""
        return self.columns.customers

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """See `EventLists`."""
        return self.columns.times

    @property
    def times_given(self) -> npt.NDArray[np.bool_]:
        """See `EventLists`."""
        return self.columns.times_given

    @property
    def values(self) -> Sequence[str]:
        """See `EventLists`."""
        return self.columns.values

    @property
    def properties(self) -> Sequence[bytes]:
        """See `EventLists`."""
        return self.columns.properties


def no_events() -> EventLists:
    """Return columns without an entry."""
    return EventLists(
        sources=[],
        ids=[],
        types=[],
        customers=[],
        times=np.empty(0, np.int64),
        times_given=np.empty(0, np.bool_),
        values=[],
        properties=[],
    )


def empty_batch(received_at: int, *, rejected: list[RejectedEvent] | None = None) -> EventBatch:
    """Return a batch without events."""
    return EventBatch(received_at=received_at, indexes=[], columns=no_events(), rejected=rejected or [])
