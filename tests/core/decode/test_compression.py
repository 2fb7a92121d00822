"""Content encodings: what comes out is what went in, and what would not fit is refused before it is there."""

from __future__ import annotations

import gzip
import time
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tallystick.decode import BodyTooLarge, UnknownEncoding, UnreadableBody, decompress

LIMIT = 1 << 20


def zstd(body: bytes, *, is_size_known: bool = True) -> bytes:
    if is_size_known:
        return zstandard.ZstdCompressor().compress(body)
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return stream.compress(body) + stream.flush()


def pack(body: bytes, encoding: str) -> bytes:
    return gzip.compress(body) if encoding == "gzip" else zstd(body)


@given(parts=st.lists(st.binary(max_size=2_000), min_size=1, max_size=4), is_size_known=st.booleans())
def test_what_comes_out_is_what_went_in_over_all_members_and_frames(parts: list[bytes], is_size_known: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    whole = b"".join(parts)
    assert decompress(b"".join(map(gzip.compress, parts)), "gzip", limit_bytes=LIMIT) == whole
    frames = b"".join(zstd(part, is_size_known=is_size_known) for part in parts)
    assert decompress(frames, "zstd", limit_bytes=LIMIT) == whole


@pytest.mark.parametrize("encoding", ["identity", "", " Identity "])
def test_no_encoding_changes_nothing(encoding: str) -> None:
    assert decompress(b"abc", encoding, limit_bytes=3) == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_the_limit_is_exact(encoding: str) -> None:
    body = bytes(range(256)) * 300
    sent = body if encoding == "identity" else pack(body, encoding)
    assert decompress(sent, encoding, limit_bytes=len(body)) == body
    with pytest.raises(BodyTooLarge):
        decompress(sent, encoding, limit_bytes=len(body) - 1)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_refused_quickly_and_without_its_memory(encoding: str) -> None:
    bomb = pack(bytes(1 << 28), encoding)
    tracemalloc.start()
    start = time.thread_time()
    try:
        with pytest.raises(BodyTooLarge, match="1,048,576 bytes"):
            decompress(bomb, encoding, limit_bytes=LIMIT)
        assert time.thread_time() - start < 1
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_every_truncation_is_unreadable(encoding: str) -> None:
    sent = pack(b"0123456789" * 20, encoding)
    for length in range(len(sent)):
        with pytest.raises(UnreadableBody):
            decompress(sent[:length], encoding, limit_bytes=LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_is_not_compressed_or_followed_by_something_else_is_unreadable(encoding: str) -> None:
    for sent in (b"{}", pack(b"{}", encoding) + b"trailing garbage", pack(b"{}", encoding)[1:]):
        with pytest.raises(UnreadableBody):
            decompress(sent, encoding, limit_bytes=LIMIT)


def test_a_damaged_checksum_is_unreadable() -> None:
    sent = bytearray(gzip.compress(b"0123456789"))
    sent[-5] ^= 1
    with pytest.raises(UnreadableBody):
        decompress(bytes(sent), "gzip", limit_bytes=LIMIT)


def test_padding_after_gzip_and_skippable_frames_before_zstd_are_no_part_of_the_body() -> None:
    assert decompress(gzip.compress(b"a") + bytes(100), "x-gzip", limit_bytes=LIMIT) == b"a"
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"skip"
    assert decompress(skippable + zstd(b"a"), "zstd", limit_bytes=LIMIT) == b"a"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_body_of_countless_empty_parts_is_unreadable(encoding: str) -> None:
    with pytest.raises(UnreadableBody, match="10,000 parts"):
        decompress(pack(b"", encoding) * 50_000, encoding, limit_bytes=LIMIT)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zip"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnknownEncoding, match="gzip, zstd or none"):
        decompress(b"", encoding, limit_bytes=LIMIT)
