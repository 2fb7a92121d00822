"""Undoes a request's `Content-Encoding`, in steps: a small body that holds gigabytes is refused at the limit, not after them."""

from __future__ import annotations

import zlib
from typing import Final

import zstandard

from .errors import BodyTooLarge, UnknownEncoding, UnreadableBody

# gzip with a header, the only wrapping that HTTP's "gzip" means.
_GZIP_WINDOW: Final = 31
# Level 19 asks for 8 MiB; more would be memory that the sender chooses.
_ZSTD_WINDOW_BYTES_MAX: Final = 32 * 1024 * 1024
_STEP_BYTES: Final = 16 * 1024
# 512 bytes of zstd hold at most 128 blocks of 128 KiB: what one step can make out of them.
_ZSTD_STEP_BYTES: Final = 512
# Members and frames cost microseconds each whatever they hold; nobody concatenates more than a few.
_PARTS_MAX: Final = 10_000


def decompress(body: bytes, encoding: str, *, limit_bytes: int) -> bytes:
    """Return the body without its content encoding: `gzip` (any number of members), `zstd` (any number of frames) or `identity`.

    Raises `BodyTooLarge` as soon as more than `limit_bytes` came out, `UnreadableBody` for damaged or truncated input,
    `UnknownEncoding`.
    """
    match encoding.strip().lower():
        case "" | "identity":
            if len(body) > limit_bytes:
                raise BodyTooLarge(limit_bytes)
            return body
        case "gzip" | "x-gzip":
            return _gunzip(body, limit_bytes)
        case "zstd":
            return _unzstd(body, limit_bytes)
        case _:
            raise UnknownEncoding(encoding)


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    out = bytearray()
    view = memoryview(body)
    position = parts = 0
    # Some tools pad with zeros after the last member.
    while parts == 0 or (position < len(body) and not _is_padding(body, position)):
        parts = _counted(parts)
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            step = _step(view, position, _STEP_BYTES)
            position += len(step)
            try:
                out += member.decompress(step, limit_bytes + 1 - len(out))
            except zlib.error as error:
                raise UnreadableBody(f"the body is not gzip: {error}") from error
            if len(out) > limit_bytes:
                raise BodyTooLarge(limit_bytes)
        position -= len(member.unused_data)
    return bytes(out)


def _unzstd(body: bytes, limit_bytes: int) -> bytes:
    out = bytearray()
    view = memoryview(body)
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX)
    position = parts = 0
    while parts == 0 or position < len(body):
        parts = _counted(parts)
        frame = decompressor.decompressobj()
        while not frame.eof:
            step = _step(view, position, _ZSTD_STEP_BYTES)
            position += len(step)
            try:
                out += frame.decompress(step)
            except zstandard.ZstdError as error:
                raise UnreadableBody(f"the body is not zstd: {error}") from error
            if len(out) > limit_bytes:
                raise BodyTooLarge(limit_bytes)
        position -= len(frame.unused_data)
    return bytes(out)


def _step(view: memoryview, position: int, size: int) -> memoryview:
    step = view[position : position + size]
    if not step:
        raise UnreadableBody("the compressed body ends early: it was cut on its way; send it again")
    return step


def _counted(parts: int) -> int:
    if parts == _PARTS_MAX:
        raise UnreadableBody(f"the body is compressed in more than {_PARTS_MAX:,} parts")
    return parts + 1


def _is_padding(body: bytes, position: int) -> bool:
    return body[position] == 0 and not body[position:].strip(b"\0")
