"""Every version that a meter ever had, with the position of the log at which it came into force.

Promises: versions of one meter are numbered from 1 without a gap, and later ones have greater positions; a version once written never
changes, so that a figure can be made again as it was.
Layout: rows of the table `catalog`, key = `meter_version`, NUL, the meter's key, NUL, the version (8 bytes, big-endian); value = the
position (8 bytes) and the definition as the log has it. They stay on disk: a meter may have been changed a hundred thousand times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import lmdb
import msgspec

from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.log.tables import Tables
from tallystick.meter import Meter, MeterVersion

_TABLE: Final = b"catalog"
_POSITION_BYTES: Final = 8

_decode_meter: Final = msgspec.msgpack.Decoder(Meter).decode


class MeterVersions:
    """The rows. `put` belongs to the writer's thread; reads to any."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, txn: lmdb.Transaction, definition: bytes, position: int) -> None:
        """Keep what a meter is from a position on; the same again changes nothing."""
        meter = _decode_meter(definition)
        self._tables.put(
            txn, _TABLE, _row_key(meter.key, meter.version), position.to_bytes(_POSITION_BYTES) + definition
        )

    def has_all_of(self, meters: Iterable[Meter]) -> bool:
        """Return whether the first and the last version of each are there; a directory of an older release has none."""
        with self._tables.read() as txn:
            return all(
                self._tables.get_within(txn, _TABLE, _row_key(meter.key, version)) is not None
                for meter in meters
                for version in (1, meter.version)
            )

    def numbered(self, meter: Meter, version: int) -> MeterVersion:
        """Return one version of a meter. Raises `InvalidQuestion` for one that it never had."""
        with self._tables.read() as txn:
            return self._read(txn, meter, version)

    def as_of(self, meter: Meter, position: Position) -> MeterVersion:
        """Return the version in force at a position of the log; the first one where the meter was defined only later."""
        with self._tables.read() as txn:
            low, high = 1, meter.version
            while low < high:
                middle = (low + high + 1) // 2
                if self._read(txn, meter, middle).position <= position:
                    low = middle
                else:
                    high = middle - 1
            return self._read(txn, meter, low)

    def page(self, meter: Meter, *, limit: int, cursor: str | None) -> tuple[list[MeterVersion], str | None]:
        """Return versions, newest first, and the cursor of the next page. Raises `InvalidQuestion` for a foreign cursor."""
        newest = meter.version if cursor is None else _version_of(cursor)
        oldest = max(newest - limit, 0)
        with self._tables.read() as txn:
            found = [self._read(txn, meter, version) for version in range(min(newest, meter.version), oldest, -1)]
        return found, str(oldest) if oldest else None

    def _read(self, txn: lmdb.Transaction, meter: Meter, version: int) -> MeterVersion:
        is_possible = 1 <= version <= meter.version
        stored = self._tables.get_within(txn, _TABLE, _row_key(meter.key, version)) if is_possible else None
        if stored is None:
            raise InvalidQuestion("version", f"the meter {meter.key!r} has the versions 1 to {meter.version}")
        return MeterVersion(Position(int.from_bytes(stored[:_POSITION_BYTES])), _decode_meter(stored[_POSITION_BYTES:]))


def _row_key(key: str, version: int) -> bytes:
    return b"meter_version\0" + key.encode() + b"\0" + version.to_bytes(8)


def _version_of(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):  # noqa: PLR2004 - fits in eight bytes
        raise InvalidQuestion("cursor", "is none that this list gave out")
    return int(cursor)
