"""Which runs are merged: few runs, each key written seldom, neighbours only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallystick.dedupe import RunEntry, plan_merge
from tallystick.instant import Instant


def run(count: int, start: int) -> RunEntry:
    """Return the entry of a run of consecutive positions, each received at the instant of its number."""
    end = start + count - 1
    return RunEntry(
        file=f"{start}-{end}", count=count, first_position=start, last_position=end,
        first_received_at=Instant(start), last_received_at=Instant(end), file_bytes=0, checksum=b"",
    )  # fmt: skip


def merged(runs: list[RunEntry], plan: tuple[RunEntry, ...]) -> list[RunEntry]:
    kept = [entry for entry in runs if entry not in plan]
    return [*kept, run(sum(entry.count for entry in plan), plan[0].first_position)]


@given(counts=st.lists(st.integers(1, 400_000), max_size=80), span_max=st.none() | st.integers(0, 5_000_000))
def test_only_the_newest_neighbours_are_merged_oldest_first(counts: list[int], span_max: int | None) -> None:
    runs: list[RunEntry] = []
    start = 1
    for count in counts:
        runs.append(run(count, start))
        start += count
        plan = plan_merge(runs[::-1], span_max_ns=span_max)
        if plan:
            assert list(plan) == runs[-len(plan) :]
            assert span_max is None or plan[-1].last_received_at - plan[0].first_received_at <= span_max
            runs = merged(runs, plan)
    assert sum(entry.count for entry in runs) == sum(counts)


def test_at_fifty_million_keys_there_are_few_runs_and_few_rewrites() -> None:
    runs: list[RunEntry] = []
    written, most = 0, 0
    for number in range(191):
        runs.append(run(262_144, 1 + number * 262_144))
        most = max(most, len(runs))
        if plan := plan_merge(runs):
            runs = merged(runs, plan)
            written += runs[-1].count
    assert most <= 8  # while a merge is under way
    assert written / (191 * 262_144) < 5


def test_many_tiny_checkpoints_after_a_large_one_become_one_run() -> None:
    runs = [run(50_000_000, 1)]
    for number in range(200):
        runs.append(run(10, runs[-1].last_position + 1))
        if plan := plan_merge(runs):
            assert runs[0] not in plan, number
            runs = merged(runs, plan)
    assert len(runs) <= 5


def test_a_window_keeps_runs_short_enough_to_be_dropped() -> None:
    runs: list[RunEntry] = []
    for number in range(64):
        runs.append(run(100_000, 1 + number * 100_000))
        if plan := plan_merge(runs, span_max_ns=800_000):
            runs = merged(runs, plan)
    assert max(entry.last_received_at - entry.first_received_at for entry in runs) <= 800_000
    assert len(runs) <= 20


def test_runs_too_far_apart_for_32_bits_of_position_stay_apart() -> None:
    runs = [run(2_000_000_000, 1 + number * 2_000_000_000) for number in range(4)]
    assert plan_merge(runs) == ()


def test_nothing_is_nothing_to_merge() -> None:
    assert plan_merge([]) == ()
