"""The payload of a block of events."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.event_columns import EventColumns
from tallystick.log.events_payload import decode_events, encode_events

texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
instants = st.one_of(
    st.integers(0, (1 << 63) - 1),
    st.integers(0, 10_000).map(lambda s: (1_762_000_000 + s) * 1_000_000_000),
    st.integers(0, 3_600_000).map(lambda ms: 1_762_000_000_000_000_000 + ms * 1_000_000),
)
rows = st.tuples(texts, texts, texts, texts, instants, st.booleans(), instants, st.binary(max_size=30))


@given(st.lists(rows, min_size=1, max_size=40))
def test_events_come_out_of_a_payload_as_they_went_in(
    events: list[tuple[str, str, str, str, int, bool, int, bytes]],
) -> None:
    sources, ids, types, customers, times, times_given, received_at, properties = map(list, zip(*events, strict=True))
    columns = EventColumns(
        first_position=9,
        sources=sources,
        ids=ids,
        types=types,
        customers=customers,
        times=np.array(times, np.int64),
        times_given=np.array(times_given, np.bool_),
        received_at=np.array(received_at, np.int64),
        values=[str(len(text)) for text in ids],
        properties=properties,
    )
    again = decode_events(encode_events(columns), first_position=9)
    for name in ("sources", "ids", "types", "customers", "values", "properties"):
        assert getattr(again, name) == getattr(columns, name)
    for name in ("times", "times_given", "received_at"):
        assert getattr(again, name).tolist() == getattr(columns, name).tolist()
    assert again.first_position == 9
