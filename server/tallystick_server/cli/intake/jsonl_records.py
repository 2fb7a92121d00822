"""Records of a file with one JSON object a line.

A line that is an event already passes byte by byte, so that every digit, and every mistake, reaches the appliance as it stands; only an
id is put in front where there is none. With `--map`, `--set` or `--ignore` an object's fields are treated as columns.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import msgspec

from .field_map import EVENT_FIELDS, PROPERTIES, FieldMap, Fragment, event_json
from .record import EVENT_BYTES_MAX, Fault, MadeUpIds, Record

_NULL = b"null"


class _Probe(msgspec.Struct):
    """The one field that decides whether a line can pass untouched."""

    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_PROBE = msgspec.json.Decoder(_Probe)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def jsonl_records(stream: io.BufferedIOBase, fields: FieldMap, ids: MadeUpIds) -> Iterator[Record]:
    """Yield a record for each line that is not blank."""
    first: bytes | None = None
    line_number = 0
    number = 0
    for line in _lines(stream):
        line_number += 1
        text = line.strip()
        if line_number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        number += 1
        if first is None:
            first = text
        place = f"line {line_number}"
        if len(text) > EVENT_BYTES_MAX:
            fault = Fault("invalid_event", f"the line is longer than {EVENT_BYTES_MAX:,} bytes")
            yield Record(place, text[:200], fault)
        else:
            yield _record(text, place, number, first, fields, ids)


def _record(text: bytes, place: str, number: int, first: bytes, fields: FieldMap, ids: MadeUpIds) -> Record:
    try:
        event = _with_id(text, number, first, ids) if fields.is_plain else _mapped(text, number, first, fields, ids)
    except msgspec.DecodeError as error:
        what = (
            "a JSON array; put one object on each line (jq -c '.[]')"
            if text[:1] == b"["
            else f"no JSON object: {error}"
        )
        return Record(place, text, Fault("invalid_json", f"the line is {what}"))
    except UnicodeError:
        return Record(place, text, Fault("invalid_encoding", "the line is not UTF-8"))
    except RecursionError:
        return Record(place, text, Fault("too_deep", "the line is nested too deep"))
    return Record(place, event)


def _with_id(text: bytes, number: int, first: bytes, ids: MadeUpIds) -> bytes:
    found = _PROBE.decode(text).id
    if found is not msgspec.UNSET and bytes(found) != _NULL:
        return text
    if found is not msgspec.UNSET:
        pairs = [(name, bytes(raw)) for name, raw in _OBJECT.decode(text).items() if name != "id"]
        text = b"{" + b",".join(msgspec.json.encode(name) + b":" + raw for name, raw in pairs) + b"}"
    rest = text[1:].lstrip()
    comma = b"" if rest.startswith(b"}") else b","
    return b'{"id":"' + ids.id_of(number, first).encode() + b'"' + comma + rest


def _mapped(text: bytes, number: int, first: bytes, fields: FieldMap, ids: MadeUpIds) -> bytes:
    found: list[tuple[str, Fragment]] = []
    for column, raw in _OBJECT.decode(text).items():
        fragment = bytes(raw)
        if fragment != _NULL:
            found += [(target, _fragment(target, fragment, fields)) for target in fields.targets(column)]
    found += fields.constants()
    if not any(target == "id" and fragment is not None for target, fragment in found):
        found.insert(0, ("id", b'"' + ids.id_of(number, first).encode() + b'"'))
    return event_json(found)


def _fragment(target: str, fragment: bytes, fields: FieldMap) -> Fragment:
    if target == "time":
        text = msgspec.json.decode(fragment, type=str) if fragment[:1] == b'"' else fragment.decode()
        return fields.reading.fragment(text)
    if target in EVENT_FIELDS and target != "value" and fragment[:1] in b"-0123456789":
        # An id or a customer that is a number in the file: its digits, as a text.
        return b'"' + fragment + b'"'
    if target == PROPERTIES and fragment[:1] != b"{":
        return b'{"properties":' + fragment + b"}"
    return fragment


def _lines(stream: io.BufferedIOBase) -> Iterator[bytes]:
    """Yield lines; of one that is too long, only its beginning, so that memory stays bounded."""
    limit = EVENT_BYTES_MAX + 2
    while line := stream.readline(limit):
        yield line
        while len(line) == limit and not line.endswith(b"\n"):
            line = stream.readline(limit)
