"""What is new, a duplicate or a conflict: exact even when every hash is the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tallystick.dedupe import Candidates
from tallystick.engine.admission import ACCEPTED, CONFLICT, DUPLICATE, admit
from tallystick.engine.commit_group import commit_group
from tallystick.event_batch import EventBatch, EventLists
from tallystick.event_columns import EventColumns

Row = tuple[str, str, str, bool]  # source, id, value, whether the time is given
rows = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from("12"), st.booleans())
NEXT_POSITION = 101


def batch(events: list[Row], *, received_at: int = 5, properties: list[bytes] | None = None) -> EventBatch:
    return EventBatch(
        received_at=received_at,
        indexes=range(len(events)),
        columns=EventLists(
            sources=[source for source, *_ in events],
            ids=[event_id for _, event_id, *_ in events],
            types=["call"] * len(events),
            customers=["acme"] * len(events),
            times=np.array([7 if given else received_at for *_, given in events], np.int64),
            times_given=np.array([given for *_, given in events], np.bool_),
            values=[value for *_, value, _ in events],
            properties=properties or [b"{}"] * len(events),
        ),
        rejected=[],
    )


def stored(events: list[Row], first_position: int, received_at: int, properties: bytes = b"{}") -> EventColumns:
    sent = batch(events, received_at=received_at, properties=[properties] * len(events))
    return structs.replace(commit_group([sent]).columns, first_position=first_position)


def every_pair(count: int, positions: list[int]) -> Candidates:
    """Return candidates as if all events had one hash."""
    pairs = [(row, position) for row in range(count) for position in positions]
    return Candidates(np.array([row for row, _ in pairs], np.int64), np.array([at for _, at in pairs], np.int64))


def model(log: dict[tuple[str, str], Row], requests: list[list[Row]]) -> list[int]:
    outcomes: list[int] = []
    for row in (row for request in requests for row in request):
        known = log.setdefault(row[:2], row)
        outcomes.append(ACCEPTED if known is row else DUPLICATE if known[2:] == row[2:] else CONFLICT)
    return outcomes


@given(
    log_rows=st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), rows, max_size=6),
    requests=st.lists(st.lists(rows, max_size=8), min_size=1, max_size=4),
)
def test_the_first_of_each_identity_stands_though_all_hashes_collide(
    log_rows: dict[tuple[str, str], Row], requests: list[list[Row]]
) -> None:
    in_log = [(*identity, *row[2:]) for identity, row in log_rows.items()]
    columns = stored(in_log, first_position=10, received_at=1) if in_log else None
    group = commit_group([batch(request) for request in requests])
    count = len(group.columns)
    admission = admit(
        group,
        hashes=np.zeros(count, np.uint64),
        candidates=every_pair(count, list(range(10, 10 + len(in_log)))),
        columns_at=lambda _position: columns or stored([], 0, 0),
        next_position=NEXT_POSITION,
        seen_since=None,
    )
    # Rows without a time of their own differ from rows with one, and are equal among themselves whenever they came.
    assert admission.outcomes.tolist() == model({row[:2]: row for row in in_log}, requests)


@given(requests=st.lists(st.lists(rows, max_size=8), min_size=1, max_size=4))
def test_a_repeat_within_a_group_points_at_the_position_the_first_will_get(requests: list[list[Row]]) -> None:
    group = commit_group([batch(request) for request in requests])
    count = len(group.columns)
    admission = admit(
        group,
        hashes=np.zeros(count, np.uint64),
        candidates=every_pair(count, []),
        columns_at=lambda _position: stored([], 0, 0),
        next_position=NEXT_POSITION,
        seen_since=None,
    )
    accepted = np.flatnonzero(admission.accepted).tolist()
    position_of = {
        group.columns.ids[row] + group.columns.sources[row]: NEXT_POSITION + n for n, row in enumerate(accepted)
    }
    for row in np.flatnonzero(~admission.accepted).tolist():
        assert admission.first_positions[row] == position_of[group.columns.ids[row] + group.columns.sources[row]]


def test_an_event_that_is_older_than_the_window_no_longer_makes_a_duplicate() -> None:
    again: Row = ("a", "x", "1", True)
    log = stored([again], first_position=10, received_at=100)
    for seen_since, outcome in ((100, DUPLICATE), (101, ACCEPTED)):
        admission = admit(
            commit_group([batch([again])]),
            hashes=np.zeros(1, np.uint64),
            candidates=every_pair(1, [10]),
            columns_at=lambda _position: log,
            next_position=NEXT_POSITION,
            seen_since=seen_since,
        )
        assert admission.outcomes.tolist() == [outcome]


def test_properties_are_compared_by_their_text() -> None:
    columns = stored([("a", "x", "1", True)], first_position=10, received_at=1, properties=b'{"n":1}')
    again = batch([("a", "x", "1", True), ("a", "x", "1", True)], properties=[b'{"n":"1"}', b'{"n":"2"}'])
    admission = admit(
        commit_group([again]),
        hashes=np.zeros(2, np.uint64),
        candidates=every_pair(2, [10]),
        columns_at=lambda _position: columns,
        next_position=NEXT_POSITION,
        seen_since=None,
    )
    assert admission.outcomes.tolist() == [DUPLICATE, CONFLICT]
