"""The payloads of blocks other than events: corrections, definitions, quarantine, re-sends and signals, as MessagePack.

Every one is self-contained, so that each projection is a fold over the log: nothing that the tables know is missing here.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from tallystick.identity import Identity
from tallystick.signals.delivery import Attempt, Cancellation, NewDelivery, Redelivery
from tallystick.signals.step import Mark, Step

# The reason of a correction that an event met when it came: the one that somebody gave is where the identity was remembered.
VOIDED_BEFORE: Final = "the identity was voided before the event came"


class VoidRecord(msgspec.Struct, array_like=True, frozen=True):
    """Events that no longer count from here on, by position; and identities that will not count when they come."""

    targets: list[int]
    remembered: list[Identity]
    reason: str


class CatalogRecord(msgspec.Struct, array_like=True, frozen=True):
    """A definition as it is from here on: `kind` says of what; no `definition` means deleted."""

    kind: str
    key: str
    definition: bytes | None


class QuarantineEntry(msgspec.Struct, array_like=True, frozen=True):
    """A refused event. The same bytes refused for the same reason are one entry, seen several times."""

    received_at: int
    index: int
    code: str
    detail: str
    content_type: str
    raw: bytes


class QuarantineRecord(msgspec.Struct, array_like=True, frozen=True):
    """Entries that came in, and the names of entries that were taken out."""

    entries: list[QuarantineEntry]
    discarded: list[str]


class SignalsRecord(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What happened to signals and their messages in one commit. `token` is random, and part of the ids of the `deliveries`."""

    steps: list[Step] = []
    deliveries: list[NewDelivery] = []
    attempts: list[Attempt] = []
    redeliveries: list[Redelivery] = []
    cancellations: list[Cancellation] = []
    mark: Mark | None = None
    token: str = ""


Record = VoidRecord | CatalogRecord | QuarantineRecord | SignalsRecord

_encode: Final = msgspec.msgpack.Encoder().encode


def encode_record(record: Record) -> bytes:
    """Return the payload of a block that holds this one record."""
    return zstandard.ZstdCompressor(level=3).compress(_encode(record))


_VOID: Final = msgspec.msgpack.Decoder(VoidRecord)
_CATALOG: Final = msgspec.msgpack.Decoder(CatalogRecord)
_QUARANTINE: Final = msgspec.msgpack.Decoder(QuarantineRecord)
_SIGNALS: Final = msgspec.msgpack.Decoder(SignalsRecord)


def decode_void(payload: bytes) -> VoidRecord:
    """Return the record of a block of kind `VOIDS`."""
    return _VOID.decode(_decompressed(payload))


def decode_catalog(payload: bytes) -> CatalogRecord:
    """Return the record of a block of kind `CATALOG`."""
    return _CATALOG.decode(_decompressed(payload))


def decode_quarantine(payload: bytes) -> QuarantineRecord:
    """Return the record of a block of kind `QUARANTINE`."""
    return _QUARANTINE.decode(_decompressed(payload))


def decode_signals(payload: bytes) -> SignalsRecord:
    """Return the record of a block of kind `SIGNALS`."""
    return _SIGNALS.decode(_decompressed(payload))


def encode_duplicates(positions: npt.NDArray[np.int64]) -> bytes:
    """Return the payload that says which events were sent again: sorted positions, each as often as it was sent, as differences."""
    ordered = np.sort(positions)
    differences = np.diff(ordered, prepend=0).astype("<i8")
    return zstandard.ZstdCompressor(level=1).compress(differences.tobytes())


def decode_duplicates(payload: bytes) -> npt.NDArray[np.int64]:
    """Return the positions of a block of kind `DUPLICATES`, sorted."""
    return np.cumsum(np.frombuffer(_decompressed(payload), "<i8")).astype(np.int64)


def _decompressed(payload: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(payload)
