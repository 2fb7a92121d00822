"""An event's content: what makes two events the same, and what does not."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tallystick.event import Event, PropertyValue, content_hash, property_text
from tallystick.instant import Instant

EVENT = Event(
    source="s", id="i", type="t", customer="c", time=Instant(1), time_given=True, value=Decimal("1.5"), properties={}
)


def changed(**fields: object) -> Event:
    return msgspec.structs.replace(EVENT, **fields)


def with_properties(**properties: PropertyValue) -> Event:
    return changed(properties=properties)


def test_content_does_not_depend_on_identity_nor_on_the_time_of_arrival() -> None:
    assert changed(source="other", id="other").content_hash == EVENT.content_hash
    assert (
        changed(time=Instant(5), time_given=False).content_hash
        == changed(time=Instant(6), time_given=False).content_hash
    )


@pytest.mark.parametrize(
    "other",
    [
        changed(type="u"),
        changed(customer="d"),
        changed(time=Instant(2)),
        changed(time_given=False),
        changed(value=Decimal(2)),
        with_properties(a="1"),
    ],
)
def test_content_depends_on_everything_else(other: Event) -> None:
    assert other.content_hash != EVENT.content_hash


def test_numbers_are_the_same_content_however_they_are_spelled() -> None:
    assert changed(value=Decimal("1.50")).content_hash == EVENT.content_hash
    assert changed(value=Decimal("15e-1")).content_hash == EVENT.content_hash
    one = with_properties(a=Decimal(1)).content_hash
    assert with_properties(a=Decimal("1.0")).content_hash == one
    assert with_properties(a="1").content_hash == one
    assert with_properties(a=True).content_hash == with_properties(a="true").content_hash != one


def test_the_order_of_properties_is_no_content() -> None:
    assert with_properties(a="x", b="y").content_hash == with_properties(b="y", a="x").content_hash


def test_names_and_values_do_not_run_into_each_other() -> None:
    hashes = {
        with_properties(ab="c").content_hash,
        with_properties(a="bc").content_hash,
        with_properties(a="b", c="").content_hash,
        changed(type="tc", customer="").content_hash,
        changed(type="", customer="tc").content_hash,
    }
    assert len(hashes) == 5


def test_a_content_hash_is_the_same_for_ever() -> None:
    found = content_hash(event_type="t", customer="c", time=Instant(1), value="1.5", properties={"b": "x", "a": "1"})
    assert found.hex() == "a4800ca0e24e7f82c6dd5cf1e7306c4da5659f3b658b66b45d8d8697a8c21ae0"


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (Decimal("1.50"), "1.5"), (Decimal("1e3"), "1000"), ("1.50", "1.50")],
)
def test_a_property_is_compared_by_its_text(value: PropertyValue, text: str) -> None:
    assert property_text(value) == text
