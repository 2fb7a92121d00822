"""Partials on disk: the states of one segment a file, made again whenever one is not there or not what was written.

Promises: what `read` returns is what was written under that name, or None; a file that was cut, changed or left half written is deleted
and counted. The folder never holds more than `bytes_max`: the file used longest ago goes first. Nothing else depends on it, so it may be
deleted at any time, and a disk that fails costs time alone.
Does not: sync. A file that a power cut left without its content fails its checksum.
Layout: `SEGMENT-DIGEST.partial`: eight bytes that say what it is, the checksum (xxh3, 128 bits) of all that follows, the digest again,
and the states as Arrow IPC. The digest (`Folding.partial_digest`) covers everything that the states depend on, so a name is never reused
for others.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path
from typing import Final

import polars as pl
import xxhash

from tallystick.failpoints import hit

SUFFIX: Final = ".partial"
_TEMPORARY_SUFFIX: Final = ".tmp"
_MAGIC: Final = b"TSPART01"
_HEAD_BYTES: Final = len(_MAGIC) + 32

_log: Final = logging.getLogger("tallystick.partials")


class PartialFolder:
    """One folder of one process. Safe from any thread."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self._path, self._bytes_max = path, bytes_max
        self._lock = threading.Lock()
        # Sizes by name, used longest ago first.
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self.size_bytes = 0
        self.damaged = 0
        self.failures = 0
        if bytes_max:
            self._look()

    def read(self, segment: str, digest: bytes) -> pl.DataFrame | None:
        """Return the states of a segment file, None where they are not here."""
        name = _name(segment, digest)
        with self._lock:
            if name not in self._sizes:
                return None
            self._sizes.move_to_end(name)
        try:
            content = (self._path / name).read_bytes()
        except OSError as error:
            self._give_up(name, f"cannot be read: {error}")
            return None
        states = _decoded(content, digest)
        if states is None:
            self._give_up(name, "is not what was written")
        return states

    def write(self, segment: str, digest: bytes, states: pl.DataFrame) -> None:
        """Keep the states of a segment file, as long as there is room. A disk that refuses is counted and logged."""
        content = _encoded(states, digest)
        if len(content) > self._bytes_max:
            return
        name = _name(segment, digest)
        temporary = self._path / (name + _TEMPORARY_SUFFIX)
        try:
            self._make_room(len(content))
            hit("partials.begin")
            self._path.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            hit("partials.written")
            temporary.rename(self._path / name)
            hit("partials.renamed")
        except OSError as error:
            self.failures += 1
            _log.warning("a partial is not kept: %s", error)
            temporary.unlink(missing_ok=True)
            return
        with self._lock:
            self.size_bytes += len(content) - self._sizes.pop(name, 0)
            self._sizes[name] = len(content)

    def keep_only(self, segments: Collection[str]) -> None:
        """Delete what belongs to segment files that are no more."""
        stems = {Path(segment).stem for segment in segments}
        with self._lock:
            gone = [name for name in self._sizes if name.partition("-")[0] not in stems]
        for name in gone:
            self._forget(name)

    def clear(self) -> None:
        """Delete everything."""
        self.keep_only(())

    def _look(self) -> None:
        found: list[tuple[float, str, int]] = []
        try:
            for path in self._path.iterdir():
                if path.name.endswith(_TEMPORARY_SUFFIX):
                    path.unlink()
                elif path.suffix == SUFFIX:
                    facts = path.stat()
                    found.append((facts.st_mtime, path.name, facts.st_size))
        except FileNotFoundError:
            return
        except OSError as error:
            self.failures += 1
            _log.warning("partials are not used: %s", error)
        for _, name, size in sorted(found):
            self._sizes[name] = size
            self.size_bytes += size
        self._make_room(0)

    def _make_room(self, size: int) -> None:
        while self.size_bytes + size > self._bytes_max:
            with self._lock:
                name = next(iter(self._sizes), None)
            if name is None:
                return
            self._forget(name)

    def _give_up(self, name: str, why: str) -> None:
        self.damaged += 1
        _log.warning("partial %s %s: it is made again", name, why)
        self._forget(name)

    def _forget(self, name: str) -> None:
        with self._lock:
            self.size_bytes -= self._sizes.pop(name, 0)
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as error:
            self.failures += 1
            _log.warning("partial %s cannot be deleted: %s", name, error)


def _name(segment: str, digest: bytes) -> str:
    return f"{Path(segment).stem}-{digest.hex()}{SUFFIX}"


def _encoded(states: pl.DataFrame, digest: bytes) -> bytes:
    body = io.BytesIO()
    states.write_ipc(body, compression="lz4")
    rest = digest + body.getvalue()
    return _MAGIC + xxhash.xxh3_128_digest(rest) + rest


def _decoded(content: bytes, digest: bytes) -> pl.DataFrame | None:
    rest = content[len(_MAGIC) + 16 :]
    if content[: len(_MAGIC)] != _MAGIC or xxhash.xxh3_128_digest(rest) != content[len(_MAGIC) : len(_MAGIC) + 16]:
        return None
    if content[_HEAD_BYTES - 16 : _HEAD_BYTES] != digest:
        return None
    return pl.read_ipc(io.BytesIO(content[_HEAD_BYTES:]))
