"""The memo of canonical spellings: right whatever is asked of it, bounded, and safe from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from tallystick.decode.canonical_memo import CanonicalMemo


def upper_case(keys: list[bytes]) -> list[bytes] | None:
    return None if b"bad" in keys else [key.upper() for key in keys]


def memo(entries_max: int = 8, bytes_max: int = 64) -> CanonicalMemo[bytes]:
    return CanonicalMemo(
        upper_case, known={b"": b"none"}, entries_max=entries_max, bytes_max=bytes_max, key_bytes_max=10
    )


keys = st.lists(
    st.sampled_from([b"", b"a", b"b", b"c" * 10, b"d" * 11, b"e" * 100]) | st.binary(max_size=12), min_size=1
)


@given(requests=st.lists(keys, max_size=8))
def test_a_meaning_is_what_was_worked_out_whatever_was_asked_before(requests: list[list[bytes]]) -> None:
    kept = memo()
    for request in requests:
        if b"bad" in request:
            continue
        assert kept.of_each(request) == [key.upper() or b"none" for key in request]
        assert len(kept) <= 16


def test_one_key_without_a_meaning_leaves_all_without() -> None:
    kept = memo()
    assert kept.of_each([b"a", b"bad"]) is None
    assert kept.of_each([b"a"]) == [b"A"]


def test_a_key_that_is_asked_for_again_and_again_is_worked_out_once() -> None:
    worked_out: list[bytes] = []

    def note(asked: list[bytes]) -> list[bytes]:
        worked_out.extend(asked)
        return asked

    kept = CanonicalMemo(note, known={}, entries_max=4, bytes_max=1_000)
    for number in range(100):
        kept.of_each([b"hot", b"%d" % number])
    assert worked_out.count(b"hot") == 1
    assert len(kept) <= 8


def test_threads_share_a_memo() -> None:
    kept = memo(entries_max=50, bytes_max=10_000)

    def ask(thread: int) -> bool:
        for number in range(300):
            asked = [b"%d" % (number % 70), b"%d-%d" % (thread, number)]
            if kept.of_each(asked) != [key.upper() for key in asked]:
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(4)))
    assert len(kept) <= 100
