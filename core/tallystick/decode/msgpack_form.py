"""Events in MessagePack: one map, or an array of them."""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.event_batch import EventLists

from .canonical_memo import CanonicalMemo
from .errors import TooManyEvents, UnreadableBody
from .event_rules import CheckedEvent, canonical_properties, canonical_value, check_event, check_structure
from .fast_columns import Memos, Moment, columns_of
from .limits import DecodeLimits
from .msgpack_reader import array_size, map_size, read_msgpack
from .native_form import NativeForm
from .refused import Refused
from .sent_event import SentEvent
from .sent_tree import Members

_ARRAY: Final = msgspec.msgpack.Decoder(list[SentEvent])
_ELEMENTS: Final = msgspec.msgpack.Decoder(list[msgspec.Raw])
_NOT_PLAIN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class MsgpackForm:
    """`application/msgpack`: one event or an array of events."""

    element_media_type = "application/msgpack"
    native_form: NativeForm | None = None

    def whole(self, body: bytes, *, limits: DecodeLimits, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        if array_size(body) < 0:
            return self.some([body], moment=moment)
        return self.some(self.split(body, limits=limits), moment=moment)

    def split(self, body: bytes, *, limits: DecodeLimits) -> list[bytes]:
        """See `WireForm`."""
        count = array_size(body)
        if count < 0:
            return [body]
        if count > limits.events_max:
            raise TooManyEvents(limits.events_max)
        try:
            return list(map(bytes, _ELEMENTS.decode(body)))
        except _NOT_PLAIN as error:
            raise UnreadableBody(f"the body is no MessagePack: {error}") from error

    def some(self, elements: list[bytes], *, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        if not elements:
            return None
        try:
            events = _ARRAY.decode(b"\xdd%b%b" % (len(elements).to_bytes(4), b"".join(elements)))
        except _NOT_PLAIN:
            return None
        values = [bytes(event.value) for event in events]
        properties = [bytes(event.properties) for event in events]
        found = columns_of(events, values, properties, memos=_MEMOS, moment=moment)
        if found is None:
            return None
        columns, sizes = found
        # A map says how many members it has: more than were decoded means a repeated or an unknown key.
        return columns if sum(map(map_size, elements)) == sizes.members else None

    def one(self, element: bytes, *, moment: Moment) -> CheckedEvent:
        """See `WireForm`."""
        return check_event(read_msgpack(element), latest=moment.latest)


def _values(raws: list[bytes]) -> list[str] | None:
    """Return the canonical amounts of MessagePack numbers and decimal texts, or None if one is neither."""
    try:
        return [canonical_value(read_msgpack(raw)) for raw in raws]
    except Refused:
        return None


def _properties(raws: list[bytes]) -> list[bytes] | None:
    """Return properties as canonical JSON, or None if one breaks a rule."""
    canonical: list[bytes] = []
    try:
        for raw in raws:
            sent = read_msgpack(raw)
            if isinstance(sent, Members):
                check_structure(sent)
            canonical.append(canonical_properties(sent))
    except Refused:
        return None
    return canonical


_MEMOS: Final = Memos(
    values=CanonicalMemo(_values, known={b"": "1", b"\xc0": "1"}),
    properties=CanonicalMemo(_properties, known={b"": b"{}", b"\xc0": b"{}", b"\x80": b"{}"}),
)
