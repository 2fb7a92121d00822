"""Events as CloudEvents in JSON: one, or a batch; which attribute is which field: see `cloud_event`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event_batch import EventLists

from .array_scanner import JSON_SPACE
from .canonical_memo import CanonicalMemo
from .cloud_event import canonical_data, check_cloud_event
from .errors import TooManyEvents
from .event_rules import CheckedEvent
from .fast_columns import Moment, sent_texts, text_columns
from .json_form import NOT_PLAIN, JsonForm, refuse_too_many
from .json_memos import plain_properties
from .json_reader import read_json
from .limits import DecodeLimits
from .native_form import NativeForm
from .raw_column import raw_column
from .refused import Refused
from .sent_event import ABSENT, SentCloudEvent
from .sent_sizes import SentSizes, solid_bytes

_ARRAY: Final = msgspec.json.Decoder(list[SentCloudEvent])
_OBJECT: Final = msgspec.json.Decoder(SentCloudEvent)

# A length that no rule limits; the body's own limit does.
_ANY_LENGTH: Final = 1 << 40


class CloudEventForm:
    """`application/cloudevents+json` and `application/cloudevents-batch+json`; either takes one event or an array."""

    element_media_type = "application/cloudevents+json"
    native_form: NativeForm | None = None

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
        return JsonForm().split(body, limits=limits)

    def some(self, elements: list[bytes], *, moment: Moment) -> EventLists | None:
        """See `WireForm`."""
        body = b"[%b]" % b",".join(elements)
        try:
            events = _ARRAY.decode(body)
        except NOT_PLAIN:
            return None
        return _plain(events, body, len(events) + 1, moment) if len(events) == len(elements) else None

    def one(self, element: bytes, *, moment: Moment) -> CheckedEvent:
        """See `WireForm`."""
        return check_cloud_event(read_json(element), latest=moment.latest)


def _plain(events: list[SentCloudEvent], body: bytes, outside_bytes: int, moment: Moment) -> EventLists | None:
    """Return the events if each is plainly right; `outside_bytes` of the body that are no space stand outside of them."""
    if not events or {event.specversion for event in events} != {"1.0"}:
        return None
    sizes = SentSizes()
    texts = text_columns(events, customer_name="subject", sizes=sizes, moment=moment)
    if texts is None or ABSENT in "".join(texts.ids) or "" in texts.sources:
        return None
    content_types = [event.datacontenttype for event in events]
    if not {"application/json", ABSENT, None}.issuperset(content_types):
        return None
    schemas = sent_texts([event.dataschema for event in events], "dataschema", _ANY_LENGTH, sizes)
    versions = sent_texts(["1.0"] * len(events), "specversion", _ANY_LENGTH, sizes)
    if sent_texts(content_types, "datacontenttype", _ANY_LENGTH, sizes) is None or schemas is None or versions is None:
        return None
    data, raw_data = raw_column([event.data for event in events])
    sizes.add("data", len(events) - data.count(b""))
    meanings = _DATA.of_each(data)
    if meanings is None or solid_bytes(body) != outside_bytes + sizes.json_bytes(len(events), raw_data):
        return None
    return texts.with_values([value for value, _ in meanings], [properties for _, properties in meanings])


def _meanings(raws: list[bytes]) -> list[tuple[str, bytes]] | None:
    """Return value and properties that each `data` holds, or None if one breaks a rule."""
    plain = plain_properties(raws)
    if plain is not None:
        objects, lines = plain
        return [(_value(properties.get("value")), line) for properties, line in zip(objects, lines, strict=True)]
    try:
        return [canonical_data(read_json(raw)) for raw in raws]
    except Refused:
        return None


def _value(value: Any) -> str:  # Any: a property as msgspec decoded it
    """Return the value that the property of that name gives the event."""
    match value:
        case bool() | None:
            return "1"
        case int():
            return str(value)
        case str():
            try:
                return canonical_amount(value)
            except (InvalidAmount, AmountOutOfRange):
                return "1"
        case _:
            return bytes(value).decode()


_DATA: Final = CanonicalMemo(_meanings, known={b"": ("1", b"{}"), b"null": ("1", b"{}"), b"{}": ("1", b"{}")})
