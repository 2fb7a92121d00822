"""Power loss on paper: from a trace of `shim.c`, the directories that a disk may hold after the plug was pulled.

The disk that is assumed promises no more than POSIX does:
- certain is the content of a file up to its last completed fsync, and each write through a descriptor opened O_DSYNC;
- any later write to it is there, absent, or there in some of its 512-byte sectors, independently of all others;
- a write through O_DSYNC that was under way is in the same case;
- what waited for a sync that failed is there or lost, write by write, and no later sync brings it back;
- names (creations, renames, unlinks, directories made) are certain after an fsync of their directory, and until then hold up to a chance
  point of the order in which they were made there. A synced file whose name was not synced may be gone.

So an image shows the worst order that any file system may choose, not what one of them does.
Not modelled: sectors that return something else than was ever written to them, and disks that lie about having synced.
"""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct("<B3xIIQQ")
_SECTOR_BYTES: Final = 512


@dataclass(frozen=True)
class Record:
    """One call that the program made; `kind` as in `shim.c`."""

    kind: str
    path: str
    other: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Pending:
    """A write or (no data) a truncation to `offset` since the last sync of its file; certain if it went through O_DSYNC."""

    offset: int
    data: bytes | None
    is_certain: bool = False


@dataclass
class Content:
    """A file apart from its names: what is certain of it, and what came since."""

    certain: bytearray = field(default_factory=bytearray)
    pending: list[Pending] = field(default_factory=list[Pending])

    def settle(self) -> None:
        for change in self.pending:
            _apply(self.certain, change)
        self.pending.clear()


@dataclass(frozen=True)
class Naming:
    """A change of names in one directory; `content` None for a directory that was made or a name that went."""

    kind: str
    path: str
    other: str = ""
    content: Content | None = None


class Fate(StrEnum):
    """What became of the changes that were not certain."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    SOME = "some"
    SECTORS = "sectors"


class Disk:
    """What the kernel shows, and what of it is certain, after the records so far."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self._root = str(root)
        self._chance = chance
        self._shown: dict[str, Content] = {}
        self._certain: dict[str, Content | None] = {self._root: None}
        self._namings: dict[str, list[Naming]] = {}
        self.told = bytearray()

    def take(self, record: Record) -> None:
        """Follow one record."""
        match record.kind:
            case "A":
                self.told += record.data
            case "W":
                self._shown[record.path].pending.append(Pending(record.offset, record.data))
            case "D":
                self._take_durable(record)
            case "T":
                self._shown[record.path].pending.append(Pending(record.offset, None))
            case "S":
                self._take_sync(record.path)
            case "F":
                self._take_failed_sync(record.path)
            case _:
                self._take_naming(record)

    def image(self, fate: Fate, under_way: Record | None) -> dict[str, bytes | None]:
        """Return the files (None: a directory) of one possible disk; `under_way` is the call that had not returned."""
        names, chance = dict(self._certain), self._chance
        for namings in self._namings.values():
            upto = {Fate.NOTHING: 0, Fate.EVERYTHING: len(namings)}.get(fate, chance.randint(0, len(namings)))
            for naming in namings[:upto]:
                _rename(names, naming)
        late: Content | None = None
        extra: list[Pending] = []
        if under_way is not None and under_way.kind == "D":
            late, extra = self._shown.get(under_way.path), [Pending(under_way.offset, under_way.data)]
        found: dict[str, bytes | None] = {}
        for path, content in names.items():
            # What lies below a directory whose own name was lost is lost with it.
            if not all(str(parent) in names for parent in Path(path).parents if str(parent).startswith(self._root)):
                continue
            if content is None:
                found[path] = None
                continue
            changes = content.pending + extra if content is late else content.pending
            found[path] = _possible(content.certain, changes, fate, chance)
        return found

    def _take_durable(self, record: Record) -> None:
        content = self._shown[record.path]
        change = Pending(record.offset, record.data, is_certain=True)
        _apply(content.certain, change)
        # Kept in order too: what was written before to the same bytes must not come back over it.
        content.pending.append(change)

    def _take_sync(self, path: str) -> None:
        if (content := self._shown.get(path)) is not None:
            content.settle()
            return
        for naming in self._namings.pop(path, []):
            _rename(self._certain, naming)

    def _take_failed_sync(self, path: str) -> None:
        if (content := self._shown.get(path)) is not None:
            content.pending = [each for each in content.pending if each.is_certain or self._chance.random() < 0.5]
            content.settle()

    def _take_naming(self, record: Record) -> None:
        path, content = record.path, None
        if record.kind == "C":
            content = self._shown[path] = Content()
        elif record.kind == "R":
            content = self._shown.pop(path)
            self._shown[record.other] = content
        elif record.kind == "U":
            self._shown.pop(path, None)
        if record.kind == "R" and Path(path).parent != Path(record.other).parent:
            # Two directories, each of which is synced on its own: for a while the file may have both names, or none.
            self._note(Naming("C", record.other, content=content))
            self._note(Naming("U", path))
        else:
            self._note(Naming(record.kind, path, record.other, content))

    def _note(self, naming: Naming) -> None:
        self._namings.setdefault(str(Path(naming.path).parent), []).append(naming)


def read_trace(trace: Path) -> list[Record]:
    """Return the records of a trace; a last one that was cut by SIGKILL is left out."""
    whole = trace.read_bytes()
    found: list[Record] = []
    at = 0
    while at + _HEAD.size <= len(whole):
        kind, path_bytes, other_bytes, offset, data_bytes = _HEAD.unpack_from(whole, at)
        at += _HEAD.size
        end = at + path_bytes + other_bytes + data_bytes
        if end > len(whole):
            break
        path = whole[at : at + path_bytes].decode()
        other = whole[at + path_bytes : at + path_bytes + other_bytes].decode()
        found.append(Record(chr(kind), path, other, offset, whole[end - data_bytes : end]))
        at = end
    return found


@dataclass(frozen=True)
class Image:
    """A directory after a power loss, what somebody had been told by then, and a name by which a failure can be made again."""

    directory: Path
    told: bytes
    name: str


def images(trace: Path, root: Path, folder: Path, *, points: int, seed: int) -> Iterator[Image]:
    """Yield the directories that `root` may have become, each fate at each of so many points of the trace.

    Half of the points lie at a sync, a rename or another step on which something depends; the rest anywhere. An image is gone once
    the next is asked for.
    """
    chance = random.Random(seed)
    records = read_trace(trace)
    steps = [at for at, record in enumerate(records) if record.kind != "W"]
    chosen = set(chance.sample(steps, min(points // 2, len(steps))))
    others = [at for at in range(len(records)) if at not in chosen]
    chosen |= set(chance.sample(others, min(points - len(chosen), len(others))))
    disk = Disk(root.resolve(), chance)
    for at, record in enumerate(records):
        disk.take(record)
        if at not in chosen:
            continue
        under_way = records[at + 1] if at + 1 < len(records) else None
        for fate in Fate:
            target = folder / "image"
            shutil.rmtree(target, ignore_errors=True)
            _write(disk.image(fate, under_way), root.resolve(), target)
            yield Image(target, bytes(disk.told), f"seed {seed}, record {at} of {len(records)}, {fate}")


def _write(files: dict[str, bytes | None], root: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path, content in sorted(files.items()):
        place = target / Path(path).relative_to(root)
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _rename(names: dict[str, Content | None], naming: Naming) -> None:
    if naming.kind == "U":
        names.pop(naming.path, None)
    elif naming.kind == "R":
        names.pop(naming.path, None)
        names[naming.other] = naming.content
    else:
        names[naming.path] = naming.content


def _possible(certain: bytearray, pending: list[Pending], fate: Fate, chance: random.Random) -> bytes:
    found = bytearray(certain)
    if fate == Fate.NOTHING:
        return bytes(found)
    for change in pending:
        if change.data is None or change.is_certain or fate == Fate.EVERYTHING:
            _apply(found, change)
        elif fate == Fate.SOME:
            if chance.random() < 0.5:
                _apply(found, change)
        else:
            for start in range(0, len(change.data), _SECTOR_BYTES):
                if chance.random() < 0.5:
                    _apply(found, Pending(change.offset + start, change.data[start : start + _SECTOR_BYTES]))
    return bytes(found)


def _apply(content: bytearray, change: Pending) -> None:
    if change.data is None:
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    if len(content) < change.offset:
        content.extend(bytes(change.offset - len(content)))
    content[change.offset : change.offset + len(change.data)] = change.data
