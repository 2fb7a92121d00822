"""A statement as a person reads it: where in the log it was made, then the figure of each meter and window."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tallystick.instant import NS_PER_S, parse_instant
from tallystick.statement.statement import InvalidStatement, Statement, decode_statement

from .failure import Failure
from .terminal import Cell, Column, Terminal


def show_statement(terminal: Terminal, body: bytes, *, zone_name: str) -> None:
    """Write the facts and the figures; in a pipe the figures alone."""
    try:
        statement = decode_statement(body)
    except InvalidStatement as error:
        raise Failure(f"the answer is no statement of this version: {error}; check --url") from error
    if terminal.for_person:
        _show_facts(terminal, statement, ZoneInfo(zone_name))
    has_windows = any(meter.windows for meter in statement.meters)
    columns = [Column("meter"), Column("version", numeric=True)]
    columns += [Column("from"), Column("to")] if has_windows else []
    columns += [Column("value", numeric=True), Column("unit"), Column("events", numeric=True)]
    rows: list[list[Cell]] = []
    for meter in statement.meters:
        head: list[Cell] = [meter.key, meter.version]
        unit = meter.definition.unit or ""
        rows += [[*head, each.start, each.end, _number(each.value), unit, each.events] for each in meter.windows]
        span: list[Cell] = [statement.start, statement.end] if has_windows else []
        rows.append([*head, *span, _number(meter.total.value), unit, meter.total.events])
    terminal.table(columns, rows, empty="No meter was in force then.")


def _show_facts(terminal: Terminal, statement: Statement, zone: ZoneInfo) -> None:
    terminal.facts(
        [
            ("customer", statement.customer),
            ("from", _local(statement.start, zone)),
            ("to", _local(statement.end, zone)),
            ("events", statement.events),
            ("as of position", str(statement.as_of)),
            ("block", str(statement.block)),
            ("block hash", statement.block_hash),
            ("Merkle root", statement.merkle_root),
            ("digest", str(statement.digest)),
        ]
    )
    terminal.say("")


def _local(text: str, zone: ZoneInfo) -> str:
    seconds = parse_instant(text) // NS_PER_S
    return f"{text} ({datetime.fromtimestamp(seconds, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S} {zone})"


def _number(figure: msgspec.Raw) -> Decimal | None:
    text = bytes(figure).decode()
    return None if text == "null" else Decimal(text)
