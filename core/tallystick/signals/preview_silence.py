"""Silences: when a subject who sent before had sent nothing for so long, and when it sent again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import polars as pl

from tallystick.cancellation import check_cancelled, collected
from tallystick.errors import InvalidQuestion
from tallystick.instant import EARLIEST, Instant
from tallystick.meter import Meter
from tallystick.usage.counted_events import counted_events, group_columns
from tallystick.usage.event_frames import TIME, EventFrames
from tallystick.usage.question import UsageQuestion

INSTANTS_MAX: Final = 5_000_000
_NEXT: Final = "next"
_CHECK_EVERY: Final = 4_096


class Silence(msgspec.Struct, frozen=True):
    """Nothing came from a subject after `last_at`; that was so for long enough at `at`, and ended at `ended_at` if it did."""

    subject: tuple[str | None, ...]
    last_at: Instant
    at: Instant
    ended_at: Instant | None


def silences(
    frames: EventFrames, meter: Meter, question: UsageQuestion, *, silence_ns: int, without: frozenset[str]
) -> Iterator[Silence]:
    """Yield the silences of the question's range, those that began before it too; any event of the type that passes the filters ends one.

    Raises `InvalidQuestion` for too many events.
    """
    start, end = question.start, question.end
    keys = group_columns(question)
    columns = list(keys)

    def events(since: Instant, until: Instant) -> pl.LazyFrame:
        found = counted_events(frames, meter, question, keys=keys, operands=(), start=since, end=until)
        if without:
            found = found.filter(~pl.col(columns[0]).is_in(pl.Series(sorted(without), dtype=pl.String).implode()))
        return found

    last_before = collected(events(EARLIEST, start).group_by(columns).agg(pl.col(TIME).max()))
    within = collected(events(start, end).select(*columns, TIME).unique().head(INSTANTS_MAX + 1))
    if within.height > INSTANTS_MAX:
        raise InvalidQuestion(
            "from",
            f"there are more than {INSTANTS_MAX:,} instants at which something came: ask for a shorter range, or for one customer",
        )
    ordered = pl.concat([last_before, within]).sort(*columns, TIME)
    ordered = ordered.with_columns(pl.col(TIME).shift(-1).over(columns).alias(_NEXT))
    found = ordered.filter((pl.col(_NEXT).fill_null(int(end)) - pl.col(TIME)) > silence_ns)
    for number, row in enumerate(found.iter_rows()):
        if number % _CHECK_EVERY == 0:
            check_cancelled()
        last_at, ended_at = row[-2:]
        at = Instant(max(last_at + silence_ns, start))
        yield Silence(row[:-2], Instant(last_at), at, None if ended_at is None else Instant(ended_at))
