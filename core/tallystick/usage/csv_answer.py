"""The rows of an answer as CSV (RFC 4180): `start,end,<a column for each name in group_by>,value,events`.

Where they are compared with the period before, `previous,change,change_percent` follow.
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

import polars as pl

from tallystick.amount import NUMBER_PATTERN

from .aggregators import EVENTS
from .answer import ROWS_AT_ONCE, UsageAnswer
from .answer_texts import END, START, group_texts, row_texts
from .figure_texts import COMPARED, VALUE

MEDIA_TYPE: Final = "text/csv; charset=utf-8; header=present"

_FIXED: Final = frozenset({START, END, VALUE, EVENTS, *COMPARED})
# The full-width forms are taken for their plain ones by spreadsheets in Japanese locales.
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER: Final = re.compile(NUMBER_PATTERN, re.ASCII)
_TO_QUOTE: Final = re.compile(r'[",\r\n]|^\s|\s$|^$')


# Texts that may need more than to be written down; `_cell` decides on each of them.
_UNUSUAL: Final = '^$|^[\\s=+\\-@\uff1d\uff0b\uff0d\uff20]|\\s$|[",\\x00-\\x1f]'
_END: Final = "\r\n"


def csv_pieces(answer: UsageAnswer, *, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[str]:
    """Yield the header, and then the rows some thousand at a time; each line with its end."""
    rows, names = answer.rows, answer.question.group_by
    extra = COMPARED if answer.previous is not None else ()
    header = [START, END, *(f"group.{name}" if name in _FIXED else name for name in names), VALUE, EVENTS, *extra]
    yield ",".join(_cell(name) for name in header) + _END
    for piece in rows.pieces(rows_at_once):
        groups = {f"group {place}": _cells(texts) for place, texts in enumerate(group_texts(rows, piece))}
        lines = row_texts(rows, piece).with_columns(**groups)
        cells = [pl.col(name).fill_null("") for name in (START, END, *groups, VALUE, EVENTS, *extra)]
        yield lines.select(pl.concat_str(cells, separator=",").str.join(_END)).item() + _END


def _cells(texts: pl.Series) -> pl.Series:
    unusual = texts.str.contains(_UNUSUAL).fill_null(value=False)
    if not unusual.any():
        return texts
    return texts.scatter(unusual.arg_true(), [_cell(text) for text in texts.filter(unusual)])


def _cell(text: str) -> str:
    if text and text[0] in _FORMULA_STARTS and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return '"{}"'.format(text.replace('"', '""')) if _TO_QUOTE.search(text) else text
