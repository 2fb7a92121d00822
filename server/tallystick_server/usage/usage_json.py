"""A usage answer as JSON, some thousand rows at a time: the shape of `schemas.UsageOut`, which a test reads it back as.

A million rows are 150 MB of text. They are put together by Polars from columns of texts, since the objects that an encoder would want
take ten times the memory and hold Python's lock for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec
import polars as pl

from tallystick.amount import plain
from tallystick.instant import format_instant
from tallystick.usage.aggregators import EVENTS
from tallystick.usage.answer import ROWS_AT_ONCE, UsageAnswer, UsageRow, UsageTotal
from tallystick.usage.answer_texts import END, START, group_texts, row_texts
from tallystick.usage.figure_texts import COMPARED, FEW_MAX, VALUE, figure_texts
from tallystick.usage.json_texts import json_objects
from tallystick_server.json_values import timestamp

_GROUP = "group"
# Windows begin where others end, and most questions come again.
_instant = lru_cache(maxsize=4_096)(format_instant)


def usage_json(answer: UsageAnswer) -> Iterator[bytes]:
    """Yield the answer's JSON piece by piece."""
    yield _head(answer)
    yield from _listed(_rows(answer))
    yield b'],"totals":['
    yield from _listed(_totals(answer))
    yield b"]}"


def usages_json(answers: Iterable[UsageAnswer]) -> Iterator[bytes]:
    """Yield the JSON of several answers."""
    yield b'{"answers":['
    for place, answer in enumerate(answers):
        if place:
            yield b","
        yield from usage_json(answer)
    yield b"]}"


def _head(answer: UsageAnswer) -> bytes:
    question = answer.question
    head: dict[str, object] = {
        "meter": answer.meter,
        "meter_version": answer.meter_version,
        "from": timestamp(question.start),
        "to": timestamp(question.end),
        "window": question.window,
        "timezone": question.timezone,
        "as_of": question.as_of,
    }
    if answer.previous is not None:
        start, end = answer.previous
        head["compared_with"] = {"from": timestamp(start), "to": timestamp(end)}
    return msgspec.json.encode(head)[:-1] + b',"rows":['


def _rows(answer: UsageAnswer) -> Iterator[str]:
    rows = answer.rows
    if len(rows) <= FEW_MAX:
        # Setting out columns takes two milliseconds, however few they are.
        few = (f'{{"start":"{_instant(row.start)}","end":"{_instant(row.end)}",{_figure(row)}' for row in rows)
        yield ",".join(few)
        return
    for piece in rows.pieces(ROWS_AT_ONCE):
        groups = json_objects(rows.totals.names, group_texts(rows, piece), height=piece.height)
        yield _objects(row_texts(rows, piece).with_columns(groups.alias(_GROUP)), (START, END), is_compared=_is(answer))


def _totals(answer: UsageAnswer) -> Iterator[str]:
    totals = answer.totals
    if len(totals) <= FEW_MAX:
        yield ",".join(f"{{{_figure(total)}" for total in totals)
        return
    for piece in totals.pieces(ROWS_AT_ONCE):
        columns = [piece[column] for column in totals.columns] if totals.names else []
        groups = json_objects(totals.names, columns, height=piece.height)
        yield _objects(figure_texts(piece).with_columns(groups.alias(_GROUP)), (), is_compared=_is(answer))


def _figure(of: UsageRow | UsageTotal) -> str:
    """Return the rest of an object: its group, its figure, and what it is compared with."""
    text = f'"group":{msgspec.json.encode(of.group).decode()},"value":{_number(of.value)},"events":{of.events}'
    if of.compared is not None:
        compared = of.compared
        numbers = (compared.previous, compared.change, compared.change_percent)
        text += "".join(f',"{name}":{_number(value)}' for name, value in zip(COMPARED, numbers, strict=True))
    return text + "}"


def _number(value: Decimal | None) -> str:
    return "null" if value is None else plain(value)


def _is(answer: UsageAnswer) -> bool:
    return answer.previous is not None


def _objects(texts: pl.DataFrame, times: Sequence[str], *, is_compared: bool) -> str:
    """Return the rows as JSON objects, separated by commas. Times need no escapes, and numbers stand as they are."""
    parts: list[pl.Expr] = []
    for name in (*times, _GROUP, VALUE, EVENTS, *(COMPARED if is_compared else ())):
        separator = "," if parts else "{"
        text = pl.concat_str(pl.lit('"'), name, pl.lit('"')) if name in times else pl.col(name).fill_null("null")
        parts += [pl.lit(f'{separator}"{name}":'), text]
    return texts.select(pl.concat_str(*parts, pl.lit("}")).str.join(",")).item()


def _listed(pieces: Iterable[str]) -> Iterator[bytes]:
    for place, piece in enumerate(filter(None, pieces)):
        yield (f",{piece}" if place else piece).encode()
