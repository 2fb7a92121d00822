"""The differences that a run of `reconcile` finds: counted by kind, the first ones kept for the screen, all of them written to a file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tallystick.amount import NUMBER_PATTERN

HEADER: Final = ("kind", "source", "id", "place", "position", "field", "yours", "appliance", "detail")
# Kinds in the order in which they are told; `repeated` with the same content disagrees with nothing.
KINDS: Final = ("only_yours", "only_appliance", "differs", "voided", "repeated", "unreadable")

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER: Final = re.compile(NUMBER_PATTERN, re.ASCII)


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference, or one field of one; `place` is where it stands in the list, `position` where in the log."""

    kind: str
    source: str = ""
    id: str = ""
    place: str = ""
    position: int | None = None
    field: str = ""
    yours: str | None = None
    appliance: str | None = None
    detail: str = ""


class Differences:
    """What was found so far."""

    def __init__(self, *, shown_max: int) -> None:
        self.counts: Counter[str] = Counter()
        self.shown: list[Difference] = []
        self._shown_max = shown_max
        self._write: Callable[[Difference], None] = _write_nothing

    def add(self, difference: Difference, *, is_first: bool = True) -> None:
        """Take one; `is_first` is false for further fields of the same event."""
        self.counts[difference.kind] += is_first
        if len(self.shown) < self._shown_max:
            self.shown.append(difference)
        self._write(difference)

    @contextmanager
    def written_to(self, path: str | None) -> Generator[None]:
        """Write all that is added meanwhile to a CSV file."""
        if path is None:
            yield
            return
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(HEADER)

            def write(difference: Difference) -> None:
                rows.writerow([_cell(getattr(difference, name)) for name in HEADER])

            self._write = write
            try:
                yield
            finally:
                self._write = _write_nothing


def _write_nothing(_difference: Difference) -> None:
    """Write to no file."""


def _cell(value: str | int | None) -> str:
    """Return a cell that no spreadsheet runs as a formula: an apostrophe stands before such a text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
