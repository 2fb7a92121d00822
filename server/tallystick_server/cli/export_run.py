"""One run of `tallystick export`: pages of events flow into one file, in bounded memory.

Promises: the file appears whole or not at all (it is written beside its name and renamed); every digit and every nanosecond is kept, so
that importing it elsewhere gives the same events. Does not: freeze the log. Events that land during the export may or may not be in it.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec

from .client import ApplianceClient, decode
from .terminal import ProgressBar, Terminal, shown
from .whole_file import whole_file

COLUMNS: Final = ("id", "source", "type", "customer", "time", "value", "properties")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_VOIDED: Final = "voided"


class ExportedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as it is written: what a sender said, and nothing else. `value` and `properties` keep their digits."""

    id: str
    type: str
    customer: str
    time: str
    value: msgspec.Raw
    properties: msgspec.Raw
    source: str = ""


class ListedEvent(ExportedEvent, frozen=True):
    """An event as the list answers it; the state decides whether it is written."""

    state: str = ""


class ListedPage(msgspec.Struct, frozen=True):
    """A page of events."""

    items: list[ListedEvent]
    next_cursor: str | None


class ExportRun:
    """Writes the events that the parameters select."""

    def __init__(
        self,
        client: ApplianceClient,
        terminal: Terminal,
        params: Sequence[tuple[str, str]],
        *,
        kind: str,
        is_packed: bool,
        is_safe: bool,
    ) -> None:
        self._client, self._terminal, self._params = client, terminal, list(params)
        self._kind, self._is_packed, self._is_safe = kind, is_packed, is_safe
        self._written = self._voided = self._formulas = 0

    def run(self, out: str) -> None:
        """Write the file, and say what is in it."""
        started_s = time.monotonic()
        with self._terminal.progress() as bar:
            events = self._events(bar, started_s)
            if out == "-":
                self._write_lines(events, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                self._write_file(events, Path(out))
        took_s = time.monotonic() - started_s
        note = f"{shown(self._written)} events in {took_s:.1f} s"
        if self._voided:
            note += f"; {shown(self._voided)} voided ones left out"
        self._terminal.note(note)
        if self._formulas and not self._is_safe:
            self._terminal.note(
                f"{shown(self._formulas)} cells begin like formulas: a spreadsheet may run them. "
                "--spreadsheet-safe disarms them (such a file is not for `import`)"
            )

    def _events(self, bar: ProgressBar, started_s: float) -> Iterator[list[ListedEvent]]:
        cursor: str | None = None
        while True:
            query = [*self._params, ("limit", "1000"), *([] if cursor is None else [("cursor", cursor)])]
            page = decode(self._client.get("/v1/events", query), ListedPage)
            kept = [event for event in page.items if event.state != _VOIDED]
            self._voided += len(page.items) - len(kept)
            self._written += len(kept)
            rate = self._written / max(time.monotonic() - started_s, 0.001)
            bar.show(self._written, None, f"{self._written:,} events, {rate:,.0f}/s")
            if kept:
                yield kept
            cursor = page.next_cursor
            if cursor is None:
                return

    def _write_file(self, events: Iterator[list[ListedEvent]], path: Path) -> None:
        with whole_file(path) as partial:
            if self._kind == "parquet":
                from .export_parquet import write_parquet

                write_parquet(events, partial)
            else:
                with partial.open("wb") as file:
                    self._write_lines(events, file)

    def _write_lines(self, events: Iterator[list[ListedEvent]], file: IO[bytes]) -> None:
        with self._maybe_packed(file) as plain:
            if self._kind == "csv":
                self._write_csv(events, plain)
                return
            for page in events:
                plain.write(b"".join(msgspec.json.encode(_bare(event)) + b"\n" for event in page))

    @contextmanager
    def _maybe_packed(self, file: IO[bytes]) -> Generator[IO[bytes]]:
        if not self._is_packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            yield cast("IO[bytes]", packed)

    def _write_csv(self, events: Iterator[list[ListedEvent]], file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for page in events:
            writer.writerows([self._cells(event) for event in page])
        text.flush()
        text.detach()

    def _cells(self, event: ListedEvent) -> list[str]:
        properties = "" if bytes(event.properties) == b"{}" else bytes(event.properties).decode()
        value = bytes(event.value).decode()
        texts = [event.id, event.source, event.type, event.customer]
        risky = [text.startswith(_FORMULA) for text in texts]
        self._formulas += sum(risky)
        if self._is_safe:
            texts = [f"'{text}" if is_risky else text for text, is_risky in zip(texts, risky, strict=True)]
        return [*texts, event.time, value, properties]


def columns_of(page: list[ListedEvent]) -> dict[str, list[Any]]:  # Any: a column's cells, which Polars types
    """Return a page as columns for Parquet: times as nanoseconds, values as decimals, properties as JSON."""
    from tallystick.instant import parse_instant

    return {
        "id": [event.id for event in page],
        "source": [event.source for event in page],
        "type": [event.type for event in page],
        "customer": [event.customer for event in page],
        "time": [parse_instant(event.time) for event in page],
        "value": [Decimal(bytes(event.value).decode()) for event in page],
        "properties": [bytes(event.properties).decode() for event in page],
    }


def _bare(event: ListedEvent) -> ExportedEvent:
    return ExportedEvent(
        event.id, event.type, event.customer, event.time, event.value, event.properties, source=event.source
    )
