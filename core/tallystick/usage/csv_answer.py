"""The rows of an answer as CSV (RFC 4180), line by line: `start,end,<a column for each name in group_by>,value,events`.

Promises: values have all their digits and no exponent; lines end in CR LF; a group that is null is an empty cell, a group that is the empty
text is `""`, a missing figure is an empty cell.
Texts that senders chose end up in spreadsheets, which run a cell that starts with `=`, `+`, `-`, `@`, a tab or a line break as a formula.
Such a text gets an apostrophe in front, as OWASP advises ("CSV Injection"), unless it is a plain number; programs that read the file
strip it.
A name in `group_by` that is one of the fixed columns' is written `group.NAME`, so that no two columns have the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallystick.amount import NUMBER_PATTERN, plain
from tallystick.instant import format_instant

from .answer import UsageAnswer

MEDIA_TYPE: Final = "text/csv; charset=utf-8; header=present"

_FIXED: Final = frozenset({"start", "end", "value", "events"})
# The full-width forms are taken for their plain ones by spreadsheets in Japanese locales.
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER: Final = re.compile(NUMBER_PATTERN, re.ASCII)
_TO_QUOTE: Final = re.compile(r'[",\r\n]|^\s|\s$|^$')


def csv_lines(answer: UsageAnswer) -> Iterator[str]:
    """Yield the header and then a line for each row, each with its line end."""
    names = answer.question.group_by
    header = ["start", "end", *(f"group.{name}" if name in _FIXED else name for name in names), "value", "events"]
    yield _line([_cell(name) for name in header])
    for row in answer.rows:
        yield _line(
            [
                format_instant(row.start),
                format_instant(row.end),
                *("" if (text := row.group[name]) is None else _cell(text) for name in names),
                "" if row.value is None else plain(row.value),
                str(row.events),
            ]
        )


def _cell(text: str) -> str:
    if text and text[0] in _FORMULA_STARTS and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return '"{}"'.format(text.replace('"', '""')) if _TO_QUOTE.search(text) else text


def _line(cells: list[str]) -> str:
    return ",".join(cells) + "\r\n"
