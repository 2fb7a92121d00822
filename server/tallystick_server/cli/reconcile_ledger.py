"""Which identities of a list were seen so far: on disk past some megabytes, so that a list of any length fits in bounded memory.

Promises: exact but for a collision of 128 bits of SHA-256. The file is the system's own temporary one, and gone when the run ends, however
it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from types import TracebackType
from typing import Final, Self

import msgspec

_CACHE_KIB: Final = 64 * 1_024
# SQLite takes 32,766 marks in a statement; past a few hundred nothing is saved.
_ASKED_AT_ONCE: Final = 500


class Claimed(msgspec.Struct, frozen=True):
    """Where an identity stands in the list, what it says there, and whether the appliance has none of it."""

    place: str
    content: bytes
    is_missing: bool


class ReconcileLedger:
    """The identities. Use it in a `with`."""

    def __init__(self) -> None:
        # No name: SQLite keeps it in memory as long as that is small, and in a file without a name after that.
        self._database = sqlite3.connect("")
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE_KIB};"
            "CREATE TABLE claims (identity BLOB PRIMARY KEY, place TEXT, content BLOB, is_missing INTEGER) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def find(self, identities: Sequence[bytes]) -> dict[bytes, Claimed]:
        """Return what the list says under those of the identities that it has."""
        found: dict[bytes, Claimed] = {}
        for start in range(0, len(identities), _ASKED_AT_ONCE):
            asked = identities[start : start + _ASKED_AT_ONCE]
            marks = ",".join("?" * len(asked))
            rows = self._database.execute(
                f"SELECT identity, place, content, is_missing FROM claims WHERE identity IN ({marks})",  # noqa: S608 - marks alone
                asked,
            )
            found |= {row[0]: Claimed(row[1], row[2], bool(row[3])) for row in rows}
        return found

    def add(self, claims: Sequence[tuple[bytes, Claimed]]) -> None:
        """Keep identities that are not there yet."""
        self._database.executemany(
            "INSERT INTO claims VALUES (?, ?, ?, ?)",
            [(identity, each.place, each.content, each.is_missing) for identity, each in claims],
        )

    def mark_missing(self, identities: Sequence[bytes]) -> None:
        """Keep that the appliance has none of these."""
        self._database.executemany(
            "UPDATE claims SET is_missing = 1 WHERE identity = ?", [(identity,) for identity in identities]
        )


def identity_digest(source: str, event_id: str) -> bytes:
    """Return the key of an identity."""
    return sha256(msgspec.msgpack.encode((source, event_id))).digest()[:16]
