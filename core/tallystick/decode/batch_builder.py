"""Puts decoded runs, single events and rejections together into one batch, in the order of the request."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import structs

from tallystick.entropy import Entropy
from tallystick.event_batch import RAW_BYTES_MAX, EventBatch, EventLists, RejectedEvent
from tallystick.rejection import Rejected

from .derived_id import derived_id
from .fast_columns import Moment
from .refused import Refused
from .sent_event import ABSENT

# 128 bits: two of them are never the same.
_RANDOM_ID_BYTES = 16


def batch_of(
    columns: EventLists, *, moment: Moment, entropy: Entropy, media_type: str, decoded_bytes: int
) -> EventBatch:
    """Return the batch of a request of which every event is valid."""
    return _batch(columns, range(len(columns.ids)), [], moment, entropy, media_type, decoded_bytes)


class BatchBuilder:
    """What was decoded so far."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._indexes: list[int] = []
        self._sources: list[str] = []
        self._ids: list[str] = []
        self._types: list[str] = []
        self._customers: list[str] = []
        self._times: list[npt.NDArray[np.int64]] = []
        self._times_given: list[npt.NDArray[np.bool_]] = []
        self._values: list[str] = []
        self._properties: list[bytes] = []
        self._rejected: list[RejectedEvent] = []
        self._unreadable = 0
        self._first_unreadable = ""

    @property
    def unreadable_detail(self) -> str | None:
        """What is wrong with the first event, if not one event could be read."""
        return (
            self._first_unreadable
            if self._unreadable and self._unreadable == len(self._rejected) and not self._indexes
            else None
        )

    def add(self, columns: EventLists, indexes: range) -> None:
        """Add a run of valid events."""
        self._indexes += indexes
        self._sources += columns.sources
        self._ids += columns.ids
        self._types += columns.types
        self._customers += columns.customers
        self._times.append(columns.times)
        self._times_given.append(columns.times_given)
        self._values += columns.values
        self._properties += columns.properties

    def refuse(self, refused: Refused, element: bytes, index: int) -> None:
        """Add a rejection, with the event as it was sent."""
        if refused.is_unreadable:
            self._unreadable += 1
            self._first_unreadable = self._first_unreadable or refused.detail
        rejected = Rejected(index=index, id=refused.event_id, code=refused.code, detail=refused.detail)
        self._rejected.append(RejectedEvent(rejected=rejected, raw=element[:RAW_BYTES_MAX]))

    def batch(self, *, entropy: Entropy, media_type: str, decoded_bytes: int) -> EventBatch:
        """Return all of it."""
        columns = EventLists(
            sources=self._sources,
            ids=self._ids,
            types=self._types,
            customers=self._customers,
            times=np.concatenate(self._times) if self._times else np.empty(0, np.int64),
            times_given=np.concatenate(self._times_given) if self._times_given else np.empty(0, np.bool_),
            values=self._values,
            properties=self._properties,
        )
        return _batch(columns, self._indexes, self._rejected, self._moment, entropy, media_type, decoded_bytes)


def _batch(
    columns: EventLists,
    indexes: range | list[int],
    rejected: list[RejectedEvent],
    moment: Moment,
    entropy: Entropy,
    media_type: str,
    decoded_bytes: int,
) -> EventBatch:
    return EventBatch(
        received_at=moment.received_at,
        indexes=indexes,
        columns=structs.replace(columns, ids=_with_missing_ids(columns, entropy)),
        rejected=rejected,
        media_type=media_type,
        decoded_bytes=decoded_bytes,
    )


def _with_missing_ids(columns: EventLists, entropy: Entropy) -> list[str]:
    """Return the ids, with one made for each event that was sent without."""
    ids = columns.ids
    missing = "".join(ids).count(ABSENT)
    if not missing:
        return ids
    random = entropy.token_bytes(_RANDOM_ID_BYTES * missing).hex()
    drawn = 0
    filled = list(ids)
    for row, sent in enumerate(ids):
        if sent != ABSENT:
            continue
        if columns.times_given[row]:
            filled[row] = derived_id(
                source=columns.sources[row],
                event_type=columns.types[row],
                customer=columns.customers[row],
                time=int(columns.times[row]),
                value=columns.values[row],
                properties=columns.properties[row],
            )
        else:
            filled[row] = random[drawn : drawn + 2 * _RANDOM_ID_BYTES]
            drawn += 2 * _RANDOM_ID_BYTES
    return filled
