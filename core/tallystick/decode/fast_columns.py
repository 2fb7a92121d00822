"""The fast path: a run of decoded events to columns, by whole columns in C, or None at the slightest doubt.

Promises: what it answers is what `event_rules` answers event by event. Does not: say what is wrong, nor even which event it is in.
A run that holds anything unusual is answered None, and is then cut into shorter runs, the last of them single events.
Costs about half a microsecond an event, of which half is msgspec's decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.event import CUSTOMER_LENGTH_MAX, ID_LENGTH_MAX, SOURCE_LENGTH_MAX, TYPE_LENGTH_MAX
from tallystick.event_batch import EventLists

from .canonical_memo import CanonicalMemo
from .event_rules import CheckedEvent
from .instant_column import instants_of_milliseconds, instants_of_texts
from .sent_event import ABSENT, SentEvent, SentTexts
from .sent_sizes import SentSizes

_ONE_GIVEN: Final = np.array([True])
_ONE_NOT_GIVEN: Final = np.array([False])
for _shared in (_ONE_GIVEN, _ONE_NOT_GIVEN):
    _shared.flags.writeable = False


class TextLists(msgspec.Struct, kw_only=True, gc=False):
    """`EventLists` but for values and properties; an id that was not sent is still `ABSENT`."""

    sources: list[str]
    ids: list[str]
    types: list[str]
    customers: list[str]
    times: npt.NDArray[np.int64]
    times_given: npt.NDArray[np.bool_]

    def with_values(self, values: list[str], properties: list[bytes]) -> EventLists:
        """Return all columns."""
        return EventLists(
            sources=self.sources,
            ids=self.ids,
            types=self.types,
            customers=self.customers,
            times=self.times,
            times_given=self.times_given,
            values=values,
            properties=properties,
        )


class Moment(msgspec.Struct, frozen=True):
    """When the request came, and the last instant that is not too far ahead of it."""

    received_at: int
    latest: int


class Memos(msgspec.Struct, frozen=True):
    """The meanings of values and of properties, in one format's bytes."""

    values: CanonicalMemo[str]
    properties: CanonicalMemo[bytes]


def columns_of(
    events: list[SentEvent], values: list[bytes], properties: list[bytes], *, memos: Memos, moment: Moment
) -> tuple[EventLists, SentSizes] | None:
    """Return the columns and the sizes they imply, or None. `values` and `properties` are those of the events, as sent."""
    sizes = SentSizes()
    texts = text_columns(events, customer_name="customer", sizes=sizes, moment=moment)
    if texts is None:
        return None
    canonical_values = memos.values.of_each(values)
    canonical_properties = memos.properties.of_each(properties)
    if canonical_values is None or canonical_properties is None:
        return None
    sizes.add("value", len(events) - values.count(b""))
    sizes.add("properties", len(events) - properties.count(b""))
    return texts.with_values(canonical_values, canonical_properties), sizes


def text_columns(
    events: Sequence[SentTexts], *, customer_name: str, sizes: SentSizes, moment: Moment
) -> TextLists | None:
    """Return the columns but for values and properties, adding their sizes, or None."""
    types = sent_texts([event.type for event in events], "type", TYPE_LENGTH_MAX, sizes)
    customers = sent_texts([event.customer for event in events], customer_name, CUSTOMER_LENGTH_MAX, sizes)
    if types is None or customers is None or ABSENT in sizes.texts[0] or ABSENT in sizes.texts[1]:
        return None
    ids = sent_texts([event.id for event in events], "id", ID_LENGTH_MAX, sizes)
    sources = _sources([event.source for event in events], sizes)
    times = _times([event.time for event in events], moment, sizes)
    if ids is None or sources is None or times is None:
        return None
    return TextLists(sources=sources, ids=ids, types=types, customers=customers, times=times[0], times_given=times[1])


def columns_of_one(event: CheckedEvent, *, moment: Moment) -> EventLists:
    """Return the columns that one event makes."""
    is_timed = event.time is not None
    return EventLists(
        sources=[event.source],
        ids=[ABSENT if event.id is None else event.id],
        types=[event.type],
        customers=[event.customer],
        times=np.array((event.time if is_timed else moment.received_at,), np.int64),
        times_given=_ONE_GIVEN if is_timed else _ONE_NOT_GIVEN,
        values=[event.value],
        properties=[event.properties],
    )


def sent_texts(column: list[str | None], name: str, length_max: int, sizes: SentSizes) -> list[str] | None:
    """Return the column with `ABSENT` for null, or None if a length is wrong."""
    texts, joined, nulls = _joined(column)
    quoted = len(texts) - joined.count(ABSENT)
    sizes.add(name, quoted + nulls, quoted=quoted, nulls=nulls)
    sizes.texts.append(joined)
    lengths = set(map(len, texts))
    return None if 0 in lengths or max(lengths) > length_max else texts


def _sources(column: list[str | None], sizes: SentSizes) -> list[str] | None:
    """Return the column with nothing for null and absent, or None if one is too long."""
    texts, joined, nulls = _joined(column)
    absent = joined.count(ABSENT)
    if absent == len(joined) == len(texts) and not nulls:
        return [""] * len(texts)
    quoted = len(texts) - absent
    sizes.add("source", quoted + nulls, quoted=quoted, nulls=nulls)
    sizes.texts.append(joined)
    if max(map(len, texts)) > SOURCE_LENGTH_MAX:
        return None
    return ["" if text == ABSENT else text for text in texts] if absent else texts


def _joined(column: list[str | None]) -> tuple[list[str], str, int]:
    """Return the column with `ABSENT` for null, all of it as one text, and how many nulls there were.

    Each character NUL in the text is then a field that was not sent or was null; a NUL that somebody sent makes the count of
    members too small, and so a doubt.
    """
    try:
        texts = cast("list[str]", column)
        return texts, "".join(texts), 0
    except TypeError:
        texts = [ABSENT if text is None else text for text in column]
        return texts, "".join(texts), column.count(None)


def _times(
    column: list[str | int | None], moment: Moment, sizes: SentSizes
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]] | None:
    """Return the times and which of them were given, or None if one of them is not plainly right."""
    count = len(column)
    given = np.ones(count, np.bool_)
    try:
        joined = "".join(cast("list[str]", column))
    except TypeError:
        joined = None
    if joined is not None and ABSENT not in joined:
        sizes.add("time", count, quoted=count)
        sizes.texts.append(joined)
        times = instants_of_texts(cast("list[str]", column))
    else:
        sent = [time for time in column if time is not None and time != ABSENT]
        nulls = sum(time is None for time in column)
        sizes.add("time", nulls, nulls=nulls)
        found = _some_times(sent, sizes) if sent else np.empty(0, np.int64)
        if found is None:
            return None
        times = found
        if len(sent) < count:
            given = np.fromiter((time is not None and time != ABSENT for time in column), np.bool_, count)
            times = np.full(count, moment.received_at, np.int64)
            times[given] = found
    if times is None or (times.max() > moment.latest and times[given].max(initial=0) > moment.latest):
        return None
    return times, given


def _some_times(sent: list[str | int], sizes: SentSizes) -> npt.NDArray[np.int64] | None:
    """Return the instants of times that were given, or None if one of them is not plainly right."""
    texts = [time for time in sent if isinstance(time, str)]
    milliseconds = [time for time in sent if isinstance(time, int)]
    sizes.add("time", len(sent), quoted=len(texts))
    instants = np.empty(len(sent), np.int64)
    are_texts = np.fromiter((isinstance(time, str) for time in sent), np.bool_, len(sent))
    if texts:
        sizes.texts.append("".join(texts))
        found = instants_of_texts(texts)
        if found is None:
            return None
        instants[are_texts] = found
    if milliseconds:
        found = instants_of_milliseconds(milliseconds)
        if found is None:
            return None
        # Only now, when none is out of range, is it known that writing them out costs no more than reading them did.
        sizes.texts.append("".join(map(str, milliseconds)))
        instants[~are_texts] = found
    return instants
