"""The fast path is the rules, only faster: for any request both give the same batch."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.decode.fast_columns import Moment
from tallystick.decode.json_form import JsonForm, JsonLinesForm
from tests.core.decode.decoding import JSON, LIMITS, LINES, RECEIVED_AT, decode, rows_of
from tests.core.decode.odd_events import event_text, expected, requests, row_of


@settings(max_examples=150, deadline=None)
@given(events=requests())
def test_the_fast_path_gives_what_the_rules_give(events: list[str]) -> None:
    taken, refused = expected(events)
    if not taken and all(refusal.is_unreadable for _, refusal in refused):
        return
    for body, media_type in (("[" + ",".join(events) + "]", JSON), ("\n".join(events), LINES)):
        batch = decode(body, media_type)
        rows = rows_of(batch)
        assert rows == [row_of(index, event, row.id) for (index, event), row in zip(taken, rows, strict=True)]
        assert [(entry.rejected.index, entry.rejected.code, entry.rejected.detail) for entry in batch.rejected] == [
            (index, refusal.code, refusal.detail) for index, refusal in refused
        ]
        assert [entry.raw.decode() for entry in batch.rejected] == [events[index] for index, _ in refused]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from((1, 2, 50)))
def test_ordinary_requests_stay_on_the_fast_path(seed: int, count: int) -> None:
    random = Random(seed)
    moment = Moment(received_at=RECEIVED_AT, latest=RECEIVED_AT + LIMITS.future_ns_max)
    events = [event_text(random, 0.0) for _ in range(count)]
    array, lines = ("[" + ",".join(events) + "]").encode(), "\n".join(events).encode()
    assert JsonForm().whole(array, limits=LIMITS, moment=moment) is not None
    assert JsonLinesForm().whole(lines, limits=LIMITS, moment=moment) is not None


@settings(max_examples=100, deadline=None)
@given(events=requests())
def test_an_event_alone_is_decoded_as_it_is_among_others(events: list[str]) -> None:
    (event, *_) = events
    taken, refused = expected([event])
    if refused and refused[0][1].is_unreadable:
        return
    batch = decode(event)
    assert [entry.rejected.code for entry in batch.rejected] == [refusal.code for _, refusal in refused]
    assert rows_of(batch) == [row_of(index, checked, batch.columns.ids[0]) for index, checked in taken]
