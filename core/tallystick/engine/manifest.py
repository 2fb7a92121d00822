"""The manifest: which files hold the projections, and up to which position of the log they do.

One value in one row, written in a transaction of the log's environment: a checkpoint or a merge has happened or it has not.
Files that no manifest names are what a crash left behind, and are deleted at the next start.
"""

from __future__ import annotations

from typing import Final

import lmdb
import msgspec

from tallystick.dedupe import RunEntry
from tallystick.errors import DamagedStore
from tallystick.instant import Instant
from tallystick.log.tables import Tables
from tallystick.segments.segment_entry import SegmentEntry

_KEY: Final = b"manifest"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a checkpoint: events up to `position` are in the files, later ones are replayed from the log at a start.

    `hash_seed` is the secret of the dedupe index; the runs are worth nothing without it. `next_file` numbers files, never reused.
    `keys_used` is when each API key was last used: a hint for operators, and the only thing here that the log does not know.
    """

    hash_seed: int
    position: int = 0
    event_count: int = 0
    next_file: int = 1
    runs: tuple[RunEntry, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    keys_used: dict[str, Instant] = {}


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Manifest).decode


def read_manifest(tables: Tables) -> Manifest | None:
    """Return the manifest on disk, None in a fresh directory."""
    stored = tables.get(b"manifest", _KEY)
    return None if stored is None else decode_manifest(stored)


def manifest_within(txn: lmdb.Transaction, tables: Tables) -> Manifest | None:
    """Return the manifest as one transaction sees it."""
    stored = tables.get_within(txn, b"manifest", _KEY)
    return None if stored is None else decode_manifest(stored)


def decode_manifest(stored: bytes) -> Manifest:
    """Return the manifest of these bytes. Raises `DamagedStore`."""
    try:
        return _decode(stored)
    except msgspec.MsgspecError as error:
        raise DamagedStore(0, f"the manifest cannot be read ({error})") from error


def write_manifest(txn: lmdb.Transaction, tables: Tables, manifest: Manifest) -> None:
    """Put the manifest within a transaction."""
    tables.put(txn, b"manifest", _KEY, _encode(manifest))
