"""Events in JSON: one object, an array of them, or one object a line."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec
import numpy as np

from tallystick.event_batch import EventLists

from .array_scanner import JSON_SPACE, split_array
from .errors import TooManyEvents, UnreadableBody
from .escaped_sizes import are_only_escapes
from .event_rules import CheckedEvent, check_event
from .fast_columns import Moment, columns_of, columns_of_one
from .fast_event import plain_event
from .json_memos import JSON_MEMOS
from .json_reader import read_json
from .limits import DecodeLimits
from .native_form import NativeForm
from .raw_column import raw_column
from .sent_event import SentEvent
from .sent_sizes import solid_bytes

_ARRAY: Final = msgspec.json.Decoder(list[SentEvent])
_OBJECT: Final = msgspec.json.Decoder(SentEvent)
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])

# A body of fewer bytes cannot hold so many empty objects that decoding them would take much memory.
_UNCOUNTED_BYTES: Final = 256 * 1024
_BRACES_PER_EVENT: Final = 2
# Below this, numpy costs more than searching.
_VECTOR_MIN_BYTES: Final = 2_048
NOT_PLAIN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class JsonForm:
    """`application/json`: one event or an array of events."""

    element_media_type = "application/json"
    native_form: NativeForm | None = NativeForm.JSON

    def whole(self, body: bytes, *, limits: DecodeLimits, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        body = body.strip(JSON_SPACE)
        try:
            if body.startswith(b"{"):
                return _plain([_OBJECT.decode(body)], body, 0, moment)
            refuse_too_many(body, limits)
            events = _ARRAY.decode(body)
        except NOT_PLAIN:
            return None
        if len(events) > limits.events_max:
            raise TooManyEvents(limits.events_max)
        return _plain(events, body, len(events) + 1, moment)

    def split(self, body: bytes, *, limits: DecodeLimits) -> list[bytes]:
        """See `WireForm`."""
        body = body.strip(JSON_SPACE)
        if not body.startswith(b"["):
            return [body]
        # msgspec is faster, but makes as many elements as there are.
        if len(body) <= _UNCOUNTED_BYTES:
            try:
                return list(map(bytes, _ELEMENTS.decode(body)))
            except NOT_PLAIN:
                pass
        return split_array(body, events_max=limits.events_max)

    def some(self, elements: list[bytes], *, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        body = b"[%b]" % b",".join(elements)
        try:
            events = _ARRAY.decode(body)
        except NOT_PLAIN:
            return None
        # An element that is no JSON may hold what looks like two of them.
        return _plain(events, body, len(events) + 1, moment) if len(events) == len(elements) else None

    def one(self, element: bytes, *, moment: Moment) -> CheckedEvent:
        """See `WireForm`."""
        return _one(element, moment)


class JsonLinesForm:
    """`application/x-ndjson`: one event a line; blank lines are skipped."""

    element_media_type = "application/json"
    native_form: NativeForm | None = NativeForm.LINES

    def whole(self, body: bytes, *, limits: DecodeLimits, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        return _plain_lines(body, moment, limits.events_max)

    def split(self, body: bytes, *, limits: DecodeLimits) -> list[bytes]:
        """See `WireForm`."""
        lines: list[bytes] = []
        start = 0
        while start < len(body):
            end = body.find(b"\n", start)
            end = len(body) if end < 0 else end
            line = body[start:end].strip(JSON_SPACE)
            if line:
                lines.append(line)
                if len(lines) > limits.events_max:
                    raise TooManyEvents(limits.events_max)
            start = end + 1
        return lines

    def some(self, elements: list[bytes], *, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        return _plain_lines(b"\n".join(elements), moment, len(elements))

    def one(self, element: bytes, *, moment: Moment) -> CheckedEvent:
        """See `WireForm`."""
        return _one(element, moment)


def _one(element: bytes, moment: Moment) -> CheckedEvent:
    try:
        event = plain_event(_OBJECT.decode(element), element, 0, memos=JSON_MEMOS, moment=moment)
    except NOT_PLAIN:
        event = None
    return check_event(read_json(element), latest=moment.latest) if event is None else event


def _plain_lines(body: bytes, moment: Moment, events_max: int) -> EventLists | None:
    """Return the events if there is exactly one on each line."""
    body = body.strip(JSON_SPACE)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    # msgspec lets an event span lines, and lines hold several. Between a closing and an opening brace only the end of an event can
    # stand, and if there are as many of those as there are events but one, then there are no others.
    line_count = _brace_line_count(body)
    if line_count < 0 or line_count > events_max or _may_hold_too_many(body, events_max):
        return None
    try:
        events = _OBJECT.decode_lines(body)
    except NOT_PLAIN:
        return None
    return _plain(events, body, 0, moment) if len(events) == line_count else None


def _brace_line_count(body: bytes) -> int:
    """Return how many lines there are if every one ends with a closing brace and the next starts with an opening one, else -1."""
    if len(body) < _VECTOR_MIN_BYTES:
        ends_count = body.count(b"\n")
        return ends_count + 1 if ends_count == body.count(b"}\n{") else -1
    characters = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    are_between = (characters[ends - 1] == ord("}")) & (characters[ends + 1] == ord("{"))
    return len(ends) + 1 if are_between.all() else -1


def _plain(events: list[SentEvent], body: bytes, outside_bytes: int, moment: Moment) -> EventLists | None:
    """Return the events if each is plainly right; `outside_bytes` of the body that are no space stand outside of them."""
    if not events:
        return None
    if len(events) == 1:
        event = plain_event(events[0], body, outside_bytes, memos=JSON_MEMOS, moment=moment)
        return None if event is None else columns_of_one(event, moment=moment)
    values, raw_values = raw_column([event.value for event in events])
    properties, raw_properties = raw_column([event.properties for event in events])
    found = columns_of(events, values, properties, memos=JSON_MEMOS, moment=moment)
    if found is None:
        return None
    columns, sizes = found
    event_bytes = solid_bytes(body) - outside_bytes
    if event_bytes == sizes.json_bytes(len(events), raw_values, raw_properties):
        return columns
    return columns if are_only_escapes(body, event_bytes=event_bytes, members=sizes.members) else None


def refuse_too_many(body: bytes, limits: DecodeLimits) -> None:
    """Raise `TooManyEvents` before millions of empty objects become millions of structs."""
    if _may_hold_too_many(body, limits.events_max):
        with suppress(UnreadableBody):
            split_array(body, events_max=limits.events_max)


def _may_hold_too_many(body: bytes, events_max: int) -> bool:
    """Whether there are more braces than that many events have."""
    if len(body) <= _UNCOUNTED_BYTES:
        return False
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("{"))) > 2 * _BRACES_PER_EVENT * events_max
