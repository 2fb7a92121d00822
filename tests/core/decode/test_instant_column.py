"""Times by the column are the times that `parse_instant` reads one by one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.decode.instant_column import instants_of_milliseconds, instants_of_texts
from tallystick.instant import LATEST, NS_PER_MS, InvalidInstant, parse_instant


def spelled(random: Random, oddness: float) -> str:
    def part(usual: str, *odd: str) -> str:
        return random.choice(odd) if random.random() < oddness else usual

    year = part(str(random.randrange(1970, 2262)), "1969", "2262", "1900", "9999", "0000", "197", "19700", "-970")
    month, day = (
        part(f"{random.randrange(1, 13):02d}", "00", "13", "1"),
        part(f"{random.randrange(1, 29):02d}", "00", "29", "31", "32"),
    )
    hour, minute = part(f"{random.randrange(24):02d}", "24", "99"), part(f"{random.randrange(60):02d}", "60", "0x")
    second = part(f"{random.randrange(60):02d}", "60", "61", " 1", "+1")
    digits = random.randrange(1, 12)
    fraction = part(
        random.choice(("", f".{random.randrange(10**digits):0{digits}d}", ".123")), ".", ",123", ".12a", ".\0"
    )
    zone = part(random.choice(("Z", "+02:00", "-05:30")), "z", "", "+24:00", "+01:60", "+0100", "-00:00", "Z ")
    return (
        year
        + part("-", "/", "")
        + month
        + part("-", ":")
        + day
        + part("T", "t", " ", "_")
        + f"{hour}{part(':', '.')}{minute}:{second}{fraction}{zone}"
    )


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    oddness=st.sampled_from((0.0, 0.001, 0.01, 0.2)),
    count=st.sampled_from((1, 11, 12, 40, 120)),
)
def test_a_column_of_texts_is_read_as_each_of_them_is(seed: int, oddness: float, count: int) -> None:
    random = Random(seed)
    one = spelled(random, oddness)
    texts = [one if seed % 3 == 0 and random.random() < 0.9 else spelled(random, oddness) for _ in range(count)]
    try:
        expected = [int(parse_instant(text)) for text in texts]
    except InvalidInstant:
        assert instants_of_texts(texts) is None
    else:
        found = instants_of_texts(texts)
        assert found is not None
        assert found.tolist() == expected


@pytest.mark.parametrize(
    "text", ["1970-01-01T00:00:00Z", "2261-12-31T23:59:59.999999999Z", "2000-02-29T23:59:59.5+00:00"]
)
def test_the_ends_of_time_are_read(text: str) -> None:
    found = instants_of_texts([text] * 20)
    assert found is not None
    assert set(found.tolist()) == {parse_instant(text)}


@pytest.mark.parametrize(
    "text", ["1970-01-01T00:00:00+00:01", "2262-01-01T00:00:00Z", "2261-12-31T23:59:59-00:01", "2026-02-29T00:00:00Z"]
)
def test_what_lies_past_them_is_not(text: str) -> None:
    assert instants_of_texts([text] * 20) is None


def test_milliseconds_are_exact_and_bounded() -> None:
    last = (LATEST - 1) // NS_PER_MS
    found = instants_of_milliseconds([0, 1, last])
    assert found is not None
    assert found.tolist() == [0, NS_PER_MS, last * NS_PER_MS]
    for outside in (-1, last + 1, 10**40):
        assert instants_of_milliseconds([0, outside]) is None
