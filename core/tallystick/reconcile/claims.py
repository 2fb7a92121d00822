"""What somebody else's list says: each item an event in full, some of its fields, or an id alone.

Promises: an item that names a `type` is an event, and is read by the rules of ingest (`decode`), so that it means what it would
mean if it were sent; one without claims the fields that it names and no others; a bare text is an id. The asked customer and source are
filled in where an item names none. An item that cannot be read is listed with the code that ingest would give, and never takes its
neighbours down.
Does not: look anything up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.decode import DecodeLimits, TooManyEvents, UnknownMediaType, UnreadableBody, decode_events
from tallystick.decode.json_form import JsonForm, JsonLinesForm
from tallystick.entropy import NoEntropy
from tallystick.event import EVENTS_PER_REQUEST_MAX
from tallystick.event_batch import EventLists, no_events
from tallystick.event_lists import as_lists
from tallystick.instant import Instant
from tallystick.rejection import Code, Rejected
from tallystick.statement.leaf import packed_properties

CLAIMS_MAX: Final = EVENTS_PER_REQUEST_MAX
MEDIA_TYPES: Final = ("application/json", "application/x-ndjson")

_LINES: Final = "application/x-ndjson"
_LINE_NAMES: Final = frozenset({_LINES, "application/ndjson", "application/jsonl", "application/x-jsonlines"})
_NULL: Final = b"null"
# Stands for the type of an item that names none, so that the rest of it passes the rules of ingest; nothing is compared with it.
_ANY_TYPE: Final = b'"?"'

Given = msgspec.Raw | UnsetType


class _Named(msgspec.Struct):
    """Which fields an item names."""

    type: Given = UNSET
    id: Given = UNSET
    customer: Given = UNSET
    source: Given = UNSET
    time: Given = UNSET
    value: Given = UNSET
    properties: Given = UNSET


_named: Final = msgspec.json.Decoder(_Named).decode
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode
_pack: Final = msgspec.msgpack.Encoder().encode


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The readable items as columns, and why the others could not be read.

    `given` says for each row which fields to compare: `WHOLE` for an event in full. `indexes` are the rows' places in the list.
    """

    events: EventLists
    indexes: list[int]
    given: list[frozenset[str]]
    unreadable: list[Rejected]
    item_count: int

    def __len__(self) -> int:
        return len(self.events)

    def says_the_same(self, row: int, other: int) -> bool:
        """Whether two claims name the same fields with the same content."""
        one, two = self._digests((row, other))
        return one == two

    def content_digests(self) -> list[bytes]:
        """Return 16 bytes for each row, which two claims share if they name the same fields with the same content."""
        return self._digests(range(len(self)))

    def _digests(self, rows: Sequence[int]) -> list[bytes]:
        events = self.events
        properties = packed_properties([events.properties[row] for row in rows])
        return [
            sha256(
                _pack(
                    (
                        sorted(self.given[row]),
                        events.types[row],
                        events.customers[row],
                        int(events.times[row]) if events.times_given[row] else None,
                        events.values[row],
                        packed,
                    )
                )
            ).digest()[:16]
            for row, packed in zip(rows, properties, strict=True)
        ]


WHOLE: Final = frozenset({"type", "customer", "value", "properties"})


def decode_claims(
    body: bytes,
    *,
    media_type: str,
    customer: str,
    source: str | None,
    received_at: Instant,
    limits: DecodeLimits,
) -> Claims:
    """Return what a list says: a JSON array or NDJSON. Raises `UnreadableBody`, `TooManyEvents`, `BodyTooLarge`, `UnknownMediaType`."""
    items = _items(body, media_type, limits)
    filled, given, unreadable = _filled(items, _encode(customer), None if source is None else _encode(source))
    if not filled:
        return Claims(events=no_events(), indexes=[], given=[], unreadable=unreadable, item_count=len(items))
    places = list(filled)
    joined = b"\n".join(filled.values())
    # What was filled in is ours, so it does not count against the sender's limit.
    roomy = msgspec.structs.replace(limits, body_bytes_max=max(limits.body_bytes_max, len(joined)))
    batch = decode_events(joined, media_type=_LINES, received_at=received_at, limits=roomy, entropy=NoEntropy())
    unreadable += [msgspec.structs.replace(each.rejected, index=places[each.rejected.index]) for each in batch.rejected]
    indexes = [places[index] for index in batch.indexes]
    return Claims(
        events=as_lists(batch.columns),
        indexes=indexes,
        given=[given[index] for index in indexes],
        unreadable=sorted(unreadable, key=lambda each: each.index),
        item_count=len(items),
    )


def _items(body: bytes, media_type: str, limits: DecodeLimits) -> list[bytes]:
    name, _, parameters = media_type.partition(";")
    name, charset = name.strip().lower(), parameters.replace(" ", "").lower()
    if (name != "application/json" and name not in _LINE_NAMES) or charset not in {"", "charset=utf-8"}:
        raise UnknownMediaType(media_type, known=MEDIA_TYPES)
    if not body.strip():
        raise UnreadableBody("the body is empty: it must hold a list, [] if there is nothing in it")
    form = JsonLinesForm() if name in _LINE_NAMES else JsonForm()
    items = form.split(body.removeprefix(b"\xef\xbb\xbf"), limits=limits)
    if len(items) > limits.events_max:
        raise TooManyEvents(limits.events_max)
    return items


def _filled(
    items: Iterable[bytes], customer: bytes, source: bytes | None
) -> tuple[dict[int, bytes], dict[int, frozenset[str]], list[Rejected]]:
    """Return the items as lines that the decoder takes, by their places, and what each of them names."""
    lines: dict[int, bytes] = {}
    given: dict[int, frozenset[str]] = {}
    unreadable: list[Rejected] = []
    for index, item in enumerate(items):
        # Space within an item may hold line ends; a text cannot.
        line = b'{"id":%b}' % item if item[:1] == b'"' else item.replace(b"\n", b" ").replace(b"\r", b" ")
        try:
            named = _named(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            lines[index], given[index] = line, frozenset()  # for the decoder to refuse, with its code
            continue
        if any(_raw(getattr(named, name)) == _NULL for name in _Named.__struct_fields__):
            line = _without_nulls(line)
            named = _named(line)
        is_event = named.type is not UNSET
        if named.id is UNSET and (named.time is UNSET or not is_event):
            detail = (
                "without an id and a time nothing tells which event is meant"
                if is_event
                else "without an id nothing tells which event is meant"
            )
            unreadable.append(Rejected(index=index, id=None, code=Code.INVALID_ID, detail=f"id: {detail}"))
            continue
        given[index] = WHOLE if is_event else _claimed(named)
        lines[index] = _with(line, named, customer, source)
    return lines, given, unreadable


def _raw(given: Given) -> bytes | None:
    return None if isinstance(given, UnsetType) else bytes(given)


def _claimed(named: _Named) -> frozenset[str]:
    """Return the fields to compare of an item that names no type; a time that is given is compared in any case."""
    return frozenset(name for name in ("customer", "value", "properties") if getattr(named, name) is not UNSET)


def _with(line: bytes, named: _Named, customer: bytes, source: bytes | None) -> bytes:
    """Return the item with what the question says put in front, where it says nothing itself."""
    front: list[bytes] = []
    if named.type is UNSET:
        front.append(b'"type":' + _ANY_TYPE)
    if named.customer is UNSET:
        front.append(b'"customer":' + customer)
    if named.source is UNSET and source is not None:
        front.append(b'"source":' + source)
    return b"{" + b",".join(front) + b"," + line.lstrip()[1:] if front else line


def _without_nulls(line: bytes) -> bytes:
    """Return the object without the members that are null: serializers write unset fields so."""
    return _encode({name: value for name, value in _members(line).items() if bytes(value) != _NULL})
