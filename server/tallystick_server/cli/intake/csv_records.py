"""Records of a CSV file: the first line names the columns.

The delimiter is whichever of comma, semicolon, tab and bar the first line has most of, unless one is named.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import IO, Final, cast

from tallystick_server.cli.failure import Failure

from .field_map import FieldMap, Fragment, event_json
from .record import EVENT_BYTES_MAX, Fault, MadeUpIds, Record

_DELIMITERS: Final = ",;\t|"


def csv_records(
    stream: io.BufferedIOBase, fields: FieldMap, ids: MadeUpIds, *, file: str, delimiter: str | None = None
) -> Iterator[Record]:
    """Yield a record for each row that is not blank. Raises `Failure` for a header that cannot be used."""
    # Bytes that are no UTF-8 become lone surrogates, so that they spoil their own row and no other.
    text = io.TextIOWrapper(cast("IO[bytes]", stream), encoding="utf-8-sig", errors="surrogateescape", newline="")
    csv.field_size_limit(EVENT_BYTES_MAX)
    try:
        header_line = text.readline(EVENT_BYTES_MAX)
        if not header_line.strip():
            raise Failure(f"{file}: is empty; its first line must name the columns")
        mark = delimiter or max(_DELIMITERS, key=header_line.count)
        columns = [name.strip() for name in next(csv.reader([header_line], delimiter=mark))]
        fields.check_columns([name for name in columns if name], file)
        rows = csv.reader(text, delimiter=mark)
        plan = _plan(columns, fields)
        yield from _records(rows, plan, columns, fields, ids)
    except csv.Error as error:
        raise Failure(f"{file}: is no CSV ({error}); what came before was loaded") from error
    finally:
        text.detach()


_Plan = list[tuple[int, str, Callable[[str], Fragment]]]


def _plan(columns: list[str], fields: FieldMap) -> _Plan:
    return [
        (at, target, fields.text_fragment(target))
        for at, column in enumerate(columns)
        if column
        for target in fields.targets(column)
    ]


def _records(
    rows: Iterator[list[str]], plan: _Plan, columns: list[str], fields: FieldMap, ids: MadeUpIds
) -> Iterator[Record]:
    first: bytes | None = None
    constants = fields.constants()
    width = len(columns)
    number = 0
    for row in rows:
        if not row or row == [""]:
            continue
        number += 1
        if first is None:
            first = "\x1f".join([*columns, "\x1e", *row]).encode("utf-8", "surrogateescape")
        # The header is line 1, so record n of a file without line ends inside cells stands in line n + 1.
        place = f"row {number}"
        if len(row) != width:
            shown = "\t".join(row).encode("utf-8", "surrogateescape")
            yield Record(place, shown, Fault("invalid_event", f"the row has {len(row)} cells, the header {width}"))
            continue
        try:
            found = [(target, fragment(row[at])) for at, target, fragment in plan]
        except UnicodeEncodeError:
            shown = "\t".join(row).encode("utf-8", "surrogateescape")
            yield Record(place, shown, Fault("invalid_encoding", "the row is not UTF-8"))
            continue
        found += constants
        if not any(target == "id" and fragment is not None for target, fragment in found):
            found.insert(0, ("id", b'"' + ids.id_of(number, first).encode() + b'"'))
        yield Record(place, event_json(found))
