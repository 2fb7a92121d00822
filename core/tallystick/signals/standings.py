"""Standings: at which height of each ladder the subjects of one watch were last seen, within one period.

A cache of what the store's states say, kept so that subjects who stand where they stood cost nothing: only those that are past some rung
are held. What was read from the store may be levels that no height gives (a crash between two commits, a signal that came later): such
subjects are unsettled, and compared signal by signal once, when they are next looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from tallystick.instant import Instant

from .gauge import gauge_of
from .ladder import Move
from .readings import (
    Evidence,
    customer_column,
    evidence_columns,
    evidence_of,
    heights_of,
    key_columns,
    subject_of,
    values_of,
)
from .step import Subject
from .watch import Watch

Levels = dict[str, int]
_WAS: Final = "was "


class Moved(msgspec.Struct, frozen=True):
    """A subject with signals whose level changed, and what was read of it."""

    subject: Subject
    evidence: Evidence
    moves: list[Move]


class Standings:
    """The standings of one watch in one period. Belongs to one thread."""

    def __init__(self, watch: Watch, stored: Mapping[Subject, Mapping[str, int]]) -> None:
        """Begin with the levels above 0 that the store has of the period, by subject and signal."""
        self._watch = watch
        self._keys = key_columns(watch.key)
        self._heights = [f"height {place}" for place, _ in enumerate(watch.gauges)]
        self._gauge_of = {key: gauge_of(signal.condition) for key, signal in watch.signals.items()}
        self._unsettled: dict[Subject, Levels] = {subject: dict(levels) for subject, levels in stored.items()}
        self._standing = pl.DataFrame(
            schema={**dict.fromkeys(self._keys, pl.String()), **dict.fromkeys(self._heights, pl.Int32())}
        )

    def follow(self, readings: pl.DataFrame, *, asked: Sequence[str] | None, now: Instant) -> Iterator[Moved]:
        """Take readings, and yield whose signals moved.

        `asked` are the customers that were asked about (None: everybody); of them, whoever has no row has no figure.
        """
        seen = readings.with_columns(
            heights_of(self._watch, gauge, readings, now=now).alias(name)
            for gauge, name in zip(self._watch.gauges, self._heights, strict=True)
        )
        unsettled = self._take_unsettled(asked)
        frame = self._key_frame(list(unsettled))
        if unsettled:
            rows = frame.join(seen, on=self._keys, how="left", nulls_equal=True)
            rows = rows.with_columns(pl.col(*self._heights).fill_null(0))
            seen = seen.join(frame, on=self._keys, how="anti", nulls_equal=True)
            self._stand(rows)
            yield from self._settled(rows, unsettled)
        before = self._standing_of(asked)
        if unsettled:
            before = before.join(frame, on=self._keys, how="anti", nulls_equal=True)
        changed = self._changed(seen, before)
        if changed.height:
            self._stand(changed)
            yield from self._moved(changed)

    def close(self) -> Iterator[tuple[Subject, Levels]]:
        """Yield who is past some rung, with the levels of the signals, and forget them."""
        standing, unsettled = self._standing, self._unsettled
        self._standing, self._unsettled = standing.clear(), {}
        yield from unsettled.items()
        width = len(self._keys)
        for row in standing.iter_rows():
            subject = subject_of(self._watch.key, row[:width])
            levels: Levels = {}
            for gauge, height in zip(self._watch.gauges, row[width:], strict=True):
                levels |= self._watch.ladder(gauge, subject.customer).levels(height)
            yield subject, levels

    def leave(self, customers: Sequence[str]) -> None:
        """Forget customers who are looked at elsewhere from now on."""
        column = customer_column(self._watch.key)
        if column is not None and customers:
            gone = pl.Series(customers, dtype=pl.String).implode()
            self._standing = self._standing.filter(~pl.col(column).is_in(gone))
            self._unsettled = {
                subject: levels for subject, levels in self._unsettled.items() if subject.customer not in customers
            }

    def _take_unsettled(self, asked: Sequence[str] | None) -> dict[Subject, Levels]:
        if not self._unsettled:
            return {}
        taken = self._unsettled
        if asked is not None and self._watch.is_by_customer:
            wanted = frozenset(asked)
            taken = {subject: levels for subject, levels in taken.items() if subject.customer in wanted}
        self._unsettled = {subject: levels for subject, levels in self._unsettled.items() if subject not in taken}
        return taken

    def _standing_of(self, asked: Sequence[str] | None) -> pl.DataFrame:
        column = customer_column(self._watch.key)
        if asked is None or column is None or not self._standing.height:
            return self._standing
        return self._standing.filter(pl.col(column).is_in(pl.Series(asked, dtype=pl.String).implode()))

    def _changed(self, seen: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
        if not before.height:  # Nobody was past a rung, so only who is now matters.
            risen = seen.filter(pl.any_horizontal(pl.col(name) != 0 for name in self._heights))
            return risen.with_columns(pl.lit(0, pl.Int32()).alias(_WAS + name) for name in self._heights)
        before = before.rename({name: _WAS + name for name in self._heights})
        joined = seen.join(before, on=self._keys, how="full", coalesce=True, nulls_equal=True)
        joined = joined.with_columns(pl.col(*self._heights, *(_WAS + name for name in self._heights)).fill_null(0))
        return joined.filter(pl.any_horizontal(pl.col(name) != pl.col(_WAS + name) for name in self._heights))

    def _stand(self, changed: pl.DataFrame) -> None:
        """Remember where these subjects stand now."""
        standing = self._standing
        if standing.height:
            standing = standing.join(changed, on=self._keys, how="anti", nulls_equal=True)
        risen = changed.filter(pl.any_horizontal(pl.col(name) != 0 for name in self._heights))
        self._standing = pl.concat([standing, risen.select(standing.columns)])

    def _moved(self, changed: pl.DataFrame) -> Iterator[Moved]:
        for subject, evidence, row in self._rows(changed, [*self._heights, *(_WAS + name for name in self._heights)]):
            moves: list[Move] = []
            half = len(self._heights)
            for gauge, after, before in zip(self._watch.gauges, row[:half], row[half:], strict=True):
                moves += self._watch.ladder(gauge, subject.customer).moves(before, after)
            yield Moved(subject, evidence, moves)

    def _settled(self, rows: pl.DataFrame, unsettled: Mapping[Subject, Levels]) -> Iterator[Moved]:
        for subject, evidence, row in self._rows(rows, self._heights):
            moves: list[Move] = []
            for gauge, after in zip(self._watch.gauges, row, strict=True):
                levels = {key: level for key, level in unsettled[subject].items() if self._gauge_of[key] == gauge}
                moves += self._watch.ladder(gauge, subject.customer).moves_from(levels, after)
            if moves:
                yield Moved(subject, evidence, moves)

    def _rows(
        self, frame: pl.DataFrame, columns: Sequence[str]
    ) -> Iterator[tuple[Subject, Evidence, tuple[Any, ...]]]:  # Any: what rows of a frame hold
        reading = self._watch.key.reading
        shown = evidence_columns(reading)
        width = len(self._keys)
        for row in frame.select(*self._keys, *shown, *columns).iter_rows():
            subject = subject_of(self._watch.key, row[:width])
            yield subject, evidence_of(reading, row[width : width + len(shown)]), row[width + len(shown) :]

    def _key_frame(self, subjects: Sequence[Subject]) -> pl.DataFrame:
        rows = [values_of(self._watch.key, subject) for subject in subjects]
        return pl.DataFrame(rows, schema=dict.fromkeys(self._keys, pl.String()), orient="row")
