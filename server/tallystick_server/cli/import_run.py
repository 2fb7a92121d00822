"""One run of `tallystick import`: progress while it loads, refused records, and the sums at the end."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from .client import ApplianceClient
from .intake.input_file import STDIN, InputFile
from .intake.load import FileRejection, Load, LoadPlan, Sums
from .terminal import Column, ProgressBar, Terminal, shown


class RejectedLine(msgspec.Struct, frozen=True):
    """A line of the file that `--rejected` names; `event` is the record as it was sent, JSON where it was that, text otherwise."""

    file: str
    place: str
    code: str
    detail: str
    event: msgspec.Raw


class ImportSummary(msgspec.Struct, frozen=True):
    """What `--json` answers."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: int


class ImportRun:
    """Loads files one after the other and tells a person how it goes."""

    def __init__(
        self,
        client: ApplianceClient,
        terminal: Terminal,
        plan: LoadPlan,
        *,
        rejected_path: str | None,
        show_rejected: int,
    ) -> None:
        self._client, self._terminal, self._plan = client, terminal, plan
        self._rejected_path, self._show_rejected = rejected_path, show_rejected
        self._shown: list[FileRejection] = []
        self._rejected_file: IO[bytes] | None = None
        self._waiting = ""

    def run(self, files: Sequence[InputFile], *, as_json: bool) -> int:
        """Load the files; return 1 if any record was refused."""
        sizes = [self._size(file) for file in files]
        total = None if None in sizes else float(sum(size or 0 for size in sizes))
        started_s = time.monotonic()
        done_before = 0.0
        with self._rejections(), self._terminal.progress() as bar:

            def show(sums: Sums, consumed: float) -> None:
                self._waiting = ""
                self._show(bar, sums, done_before + consumed, total, started_s)

            load = Load(
                self._client, self._plan, on_progress=show, on_rejected=self._take_rejected, on_wait=self._wait(bar)
            )
            try:
                for file, size in zip(files, sizes, strict=True):
                    load.load(file)
                    done_before += size or 0
            except BaseException:
                # What was acknowledged stays, and what was refused as well: say so before the reason why it ended.
                self._report(load.sums, time.monotonic() - started_s, as_json=as_json)
                raise
        self._report(load.sums, time.monotonic() - started_s, as_json=as_json)
        return 1 if load.sums.rejected else 0

    def _size(self, file: InputFile) -> int | None:
        size = file.size()
        if file.format == "parquet" and size is not None and file.path != STDIN:
            from .intake.parquet_records import row_count

            return row_count(file.path)
        return size

    def _show(self, bar: ProgressBar, sums: Sums, done: float, total: float | None, started_s: float) -> None:
        rate = sums.records / max(time.monotonic() - started_s, 0.001)
        bar.show(done, total, f"{sums.records:,} events, {rate:,.0f}/s")

    def _wait(self, bar: ProgressBar) -> WaitNote:
        return WaitNote(self._terminal, bar)

    def _take_rejected(self, rejection: FileRejection) -> None:
        if len(self._shown) < self._show_rejected:
            self._shown.append(rejection)
        if self._rejected_file is not None:
            rejected = rejection.rejected
            line = RejectedLine(
                rejection.file, rejected.record.place, rejected.code, rejected.detail, _as_json(rejected.record.event)
            )
            self._rejected_file.write(msgspec.json.encode(line) + b"\n")

    @contextmanager
    def _rejections(self) -> Generator[None]:
        if self._rejected_path is None:
            yield
            return
        with Path(self._rejected_path).open("wb") as file:
            self._rejected_file = file
            yield

    def _report(self, sums: Sums, took_s: float, *, as_json: bool) -> None:
        terminal = self._terminal
        if self._shown:
            columns = [Column("file"), Column("place"), Column("code"), Column("why")]
            rows = [
                (one.file, one.rejected.record.place, one.rejected.code, one.rejected.detail) for one in self._shown
            ]
            Terminal(terminal.err, terminal.err, for_person=terminal.err_for_person).table(columns, rows)
            if sums.rejected > len(self._shown):
                where = (
                    f"all are in {self._rejected_path}" if self._rejected_path else "--rejected PATH writes them all"
                )
                terminal.note(f"... and {sums.rejected - len(self._shown):,} more; {where}")
        if as_json:
            summary = ImportSummary(sums.accepted, sums.duplicates, sums.conflicts, sums.rejected)
            terminal.json(msgspec.json.encode(summary))
            return
        terminal.note(_sentence(sums, took_s))
        terminal.facts(
            [
                ("accepted", sums.accepted),
                ("duplicates", sums.duplicates),
                ("conflicts", sums.conflicts),
                ("rejected", sums.rejected),
            ]
        )


class WaitNote:
    """Tells a person once that the appliance makes the import wait, and why; called from several threads."""

    def __init__(self, terminal: Terminal, bar: ProgressBar) -> None:
        self._terminal, self._bar = terminal, bar
        self._last = ""

    def __call__(self, reason: str) -> None:
        """Tell the reason, unless it is the one told last."""
        if reason != self._last:
            self._last = reason
            self._terminal.note(f"waiting: {reason}; trying again")


def _sentence(sums: Sums, took_s: float) -> str:
    return f"{shown(sums.records)} events in {took_s:.1f} s, {sums.records / max(took_s, 0.001):,.0f} events/s"


def _as_json(event: bytes) -> msgspec.Raw:
    try:
        msgspec.json.decode(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.Raw(msgspec.json.encode(event.decode("utf-8", "replace")))
    return msgspec.Raw(event)
