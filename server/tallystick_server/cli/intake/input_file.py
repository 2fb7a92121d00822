"""A file as a stream of bytes: packed or not, or standard input; and how far it has been read."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

import zstandard

from tallystick_server.cli.failure import BadUse, Failure

STDIN: Final = "-"
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_BUFFER_BYTES: Final = 256 * 1024
# Small, since a frame may hold thousands of times its size.
_PACKED_BYTES: Final = 16 * 1024
_SUFFIXES: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


class InputFile:
    """One file to load; `name` is how messages call it."""

    def __init__(self, path: str, format_asked: str | None) -> None:
        self.path = path
        self.name = "stdin" if path == STDIN else path
        self.format = format_asked or _format_of(path)
        self._raw: IO[bytes] | None = None

    def size(self) -> int | None:
        """Return its bytes as they lie on disk, None where that cannot be known. Raises `Failure` for what cannot be read."""
        if self.path == STDIN:
            return None
        path = Path(self.path)
        if path.is_dir():
            raise Failure(f"{self.name}: is a directory; name files")
        try:
            with path.open("rb"):
                return path.stat().st_size if path.is_file() else None
        except OSError as error:
            raise Failure(f"{self.name}: {error.strerror}") from error

    def consumed(self) -> int:
        """Return how many bytes were read so far, as they lie on disk."""
        raw = self._raw
        return raw.tell() if raw is not None and not raw.closed and raw.seekable() else 0

    @contextmanager
    def stream(self) -> Generator[io.BufferedIOBase]:
        """Open it, unpacked. A packed stream that ends too early raises `Failure` from the read that notices."""
        raw = cast("io.BufferedReader", sys.stdin.buffer) if self.path == STDIN else Path(self.path).open("rb")  # noqa: SIM115 - closed below, but never stdin
        self._raw = raw
        try:
            head = raw.peek(4)[:4]
            yield _unpacked(raw, head)
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise Failure(
                f"{self.name}: the packed file is damaged or cut off ({error}); what came before was loaded"
            ) from error
        finally:
            if self.path != STDIN:
                raw.close()


def _unpacked(raw: io.BufferedReader, head: bytes) -> io.BufferedIOBase:
    if head.startswith(_GZIP):
        return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=raw)), _BUFFER_BYTES)
    if head.startswith(_ZSTD):
        return io.BufferedReader(_ZstdFrames(raw), _BUFFER_BYTES)
    return raw


class _ZstdFrames(io.RawIOBase):
    """The content of zstd frames, one after the other. The library's own reader ends a cut frame without a word; this one raises."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._packed = b""
        self._content = memoryview(b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - what BufferedReader passes
        """Fill the buffer with content; 0 at the end. Raises `EOFError` when the last frame is cut off."""
        while not self._content:
            packed = self._packed or self._raw.read(_PACKED_BYTES)
            self._packed = b""
            if not packed:
                if self._frame is not None:
                    raise EOFError("its last zstd frame has no end")
                return 0
            frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._content = memoryview(frame.decompress(packed))
            self._frame = None if frame.eof else frame
            self._packed = frame.unused_data if frame.eof else b""
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size


def _format_of(path: str) -> str:
    if path == STDIN:
        return "jsonl"
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    while suffixes and suffixes[-1] in {".gz", ".zst", ".zstd"}:
        suffixes.pop()
    kind = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if kind is None:
        raise BadUse(f"{path}: its name does not tell what it holds; give --format jsonl, csv or parquet")
    return kind
