"""A sample of what lands: the newest events in their order, and the count of all others."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.engine.subscription import Watchers
from tallystick.event_columns import EventColumns

NO_TIME_S = 0.0


def landed(customers: str, first_position: int) -> EventColumns:
    count = len(customers)
    return EventColumns(
        first_position=first_position,
        sources=[""] * count,
        ids=[str(first_position + row) for row in range(count)],
        types=["call"] * count,
        customers=list(customers),
        times=np.full(count, 7, np.int64),
        times_given=np.full(count, fill_value=True),
        received_at=np.full(count, 7, np.int64),
        values=["1"] * count,
        properties=[b"{}"] * count,
    )


@given(
    groups=st.lists(st.text("ab", min_size=1, max_size=5), max_size=6),
    count_max=st.integers(1, 8),
    customer=st.sampled_from([None, "a"]),
)
def test_a_sample_is_the_newest_and_nothing_is_left_uncounted(
    groups: list[str], count_max: int, customer: str | None
) -> None:
    watcher = Watchers()
    subscription = watcher.watch(customer=customer, event_type=None)
    position = 1
    wanted: list[int] = []
    for group in groups:
        watcher.offer([landed(group, position)])
        wanted += [position + row for row, name in enumerate(group) if customer in (None, name)]
        position += len(group)
    events, missed = subscription.take_newest(count_max, NO_TIME_S)
    assert [event.position for event in events] == wanted[-count_max:]
    assert missed == max(len(wanted) - count_max, 0)
    assert subscription.take_newest(count_max, NO_TIME_S) == ([], 0)


def test_what_take_left_over_is_counted_by_a_sample() -> None:
    watcher = Watchers()
    subscription = watcher.watch(customer=None, event_type=None)
    watcher.offer([landed("a" * 1_500, 1)])
    assert len(subscription.take(NO_TIME_S)[0]) == 1_000
    watcher.offer([landed("a", 1_501)])
    events, missed = subscription.take_newest(3, NO_TIME_S)
    assert ([event.position for event in events], missed) == ([1_501], 500)
