"""The quick way to decode says the same as the thorough one, or nothing."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tallystick.decode import DecodeLimits, decode_events, decode_plain_events
from tallystick.event_batch import EventBatch, EventLists
from tallystick.testing import ManualClock, SeededEntropy

events = st.fixed_dictionaries(
    {"type": st.sampled_from(["call", ""]), "customer": st.sampled_from(["acme", "globex"])},
    optional={
        "id": st.sampled_from(["a", "b", ""]),
        "time": st.sampled_from(["2026-11-01T10:00:00Z", "yesterday"]),
        "value": st.sampled_from([1, "1.50", "many", None]),
        "properties": st.sampled_from([{}, {"n": 1}, {"n": {"deep": 1}}]),
        "extra": st.just(1),
    },
)


def decoded(body: bytes, *, plainly: bool) -> EventBatch | None:
    decode = decode_plain_events if plainly else decode_events
    return decode(
        body,
        media_type="application/json",
        received_at=ManualClock().now(),
        limits=DecodeLimits(),
        entropy=SeededEntropy(),
    )


def listed(batch: EventBatch) -> dict[str, object]:
    about: dict[str, object] = {
        name: getattr(batch, name) for name in EventBatch.__struct_fields__ if name != "columns"
    }
    columns = {name: list(getattr(batch.columns, name)) for name in EventLists.__struct_fields__}
    return about | columns | {"indexes": list(batch.indexes)}


@given(st.lists(events, min_size=1, max_size=5))
def test_what_is_decoded_plainly_is_decoded_as_ever(sent: list[dict[str, object]]) -> None:
    body = msgspec.json.encode(sent)
    plain, thorough = decoded(body, plainly=True), decoded(body, plainly=False)
    assert thorough is not None
    if plain is not None:
        assert listed(plain) == listed(thorough)
        assert not plain.rejected


def test_plain_events_with_ids_are_decoded_plainly() -> None:
    event = {"id": "a", "type": "call", "customer": "acme", "time": "2026-11-01T10:00:00Z"}
    assert decoded(msgspec.json.encode([event, event | {"id": "b"}]), plainly=True) is not None


def test_an_event_without_an_id_takes_longer_to_say() -> None:
    event = {"type": "call", "customer": "acme", "time": "2026-11-01T10:00:00Z"}
    assert decoded(msgspec.json.encode([event]), plainly=True) is None
