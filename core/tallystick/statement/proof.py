"""The proof that one event is among those of a statement: the event with its receipt, and the audit path from its leaf to the root."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from tallystick.event import Position, Receipt
from tallystick.instant import Instant

from .merkle import AuditPath
from .statement import Count, Hash, InvalidStatement, Moment

FORMAT: Final = "tallystick-proof-1"
# A tree of 2^64 leaves has no longer path.
_PATH_MAX: Final = 64


class ProvenStatement(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """What the path leads to: which statement, how many events it counts, and the root over them."""

    customer: str
    start: Moment
    end: Moment
    as_of: Count
    events: Count
    merkle_root: Hash


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """`receipt` is the event with its receipt, as `GET /v1/events/by-id` answers it; `audit_path` goes from the leaf's sibling up."""

    format: str
    receipt: msgspec.Raw
    statement: ProvenStatement
    leaf_index: Count
    leaf_hash: Hash
    audit_path: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=_PATH_MAX)]

    def path(self) -> AuditPath:
        """Return the path as hashes. Raises `InvalidStatement` for what is no hash."""
        try:
            siblings = tuple(map(bytes.fromhex, self.audit_path))
        except ValueError as error:
            raise InvalidStatement(f"its audit path holds what is no hash: {error}") from error
        return AuditPath(self.leaf_index, self.statement.events, siblings)


class ProvenEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof is written from; `start`, `end` and `as_of` are those of the statement."""

    receipt: Receipt
    start: Instant
    end: Instant
    as_of: Position
    leaf_hash: bytes
    path: AuditPath
    merkle_root: bytes


_decode: Final = msgspec.json.Decoder(Proof).decode


def decode_proof(document: bytes) -> Proof:
    """Return the proof that a document holds. Raises `InvalidStatement`."""
    try:
        proof = _decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidStatement(f"it cannot be read: {error}") from error
    if proof.format != FORMAT:
        raise InvalidStatement(f"its format is {proof.format[:64]!a}, and this program knows {FORMAT}")
    return proof
