"""Which runs to merge: pure, so that it is tested by the thousand.

Runs are merged with their neighbours in age only, so each run goes on covering one stretch of the log. When the newest runs, each at most
twice as large as all newer ones together, are four or more, they become one. So sizes at least double from run to run, and:

    keys    runs on average (at most)    times a key is written
    50 M    3.6 (8)                      5.7
    500 M   4.8 (10)                     7.1

counted with runs of 262,144 keys. Fewer runs would be searched faster and written more often; more, the other way round.
Source of the idea: size-tiered merging as in log-structured merge trees (O'Neil et al., 1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .run_entry import RunEntry
from .run_header import POSITION_SPAN_MAX

MERGE_AT: Final = 4
_RATIO: Final = 2
# Runs smaller than this count as this large, or a quiet week's checkpoints by age would leave a run for each power of two.
_WEIGHT_MIN: Final = 65_536


def plan_merge(runs: Sequence[RunEntry], *, span_max_ns: int | None = None) -> tuple[RunEntry, ...]:
    """Return the runs that should become one now, oldest first; none when all is well.

    With a dedupe window, `span_max_ns` bounds the time between the first and the last event of a merged run, since a run can be dropped
    only as a whole: an eighth of the window keeps about nine runs, and at most an eighth too much.
    """
    by_age = sorted(runs, key=lambda run: run.first_position)
    if not by_age:
        return ()
    start = len(by_age) - 1
    weight = _weight(by_age[start])
    while start > 0 and _weight(by_age[start - 1]) <= _RATIO * weight and _fits(by_age[start - 1 :], span_max_ns):
        start -= 1
        weight += _weight(by_age[start])
    newest = tuple(by_age[start:])
    return newest if len(newest) >= MERGE_AT else ()


def _weight(run: RunEntry) -> int:
    return max(run.count, _WEIGHT_MIN)


def _fits(runs: Sequence[RunEntry], span_max_ns: int | None) -> bool:
    """Whether one run can hold all of these: its positions are kept in 32 bits, and its time is bounded by a window."""
    if max(run.last_position for run in runs) - min(run.first_position for run in runs) >= POSITION_SPAN_MAX:
        return False
    if span_max_ns is None:
        return True
    span = max(run.last_received_at for run in runs) - min(run.first_received_at for run in runs)
    return span <= span_max_ns
