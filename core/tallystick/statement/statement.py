"""A statement as a document: usage per meter, the place in the log it was made at, and the root over the events that count.

Promises: the document has one spelling (canonical JSON: keys sorted, no spaces, numbers with all their digits and no others) and names its
own digest, SHA-256 over itself without it; it holds the definition of each meter as it was used, so that nothing has to be looked up to
make the figures again.
Does not: say anything that could change: no time at which it was asked for, nothing of the state of the log after its position.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType, structs

from tallystick.meter import Meter

FORMAT: Final = "tallystick-statement-1"

Hash = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[0-9a-f]{64}$"})]
Figure = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["number", "null"]})]
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Count = Annotated[int, msgspec.Meta(ge=0)]


class InvalidStatement(ValueError):
    """A text that is no statement, or not in the one spelling that statements have; the message says where."""


class StatedDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter asked, in the version in force at the statement's position."""

    name: str
    event_type: str
    aggregation: str
    field: str
    fields: tuple[str, ...]
    filter: dict[str, tuple[str, ...]]
    unit: str | None
    timeout: int | None
    series: str | None
    statistic: str | None
    options: dict[str, Any]  # Any: a plugin's aggregator defines what is in it

    def meter(self, key: str, version: int) -> Meter:
        """Return the meter again."""
        return Meter(key=key, version=version, **structs.asdict(self))


class StatedWindow(msgspec.Struct, frozen=True):
    """One window; `value` is null where the aggregation has no figure (the smallest of nothing)."""

    start: Moment
    end: Moment
    value: Figure
    events: Count


class StatedTotal(msgspec.Struct, frozen=True):
    """The whole range: aggregated, never summed from windows."""

    value: Figure
    events: Count


class StatedMeter(msgspec.Struct, frozen=True, kw_only=True):
    """What one meter answers, and the definition that it answered by; `position` is where that version came into force."""

    key: str
    version: int
    position: Count
    definition: StatedDefinition
    windows: tuple[StatedWindow, ...]
    total: StatedTotal


class Statement(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """What one customer used in `[from, to)`, as the log had it at `as_of`; `events` counts the leaves below `merkle_root`.

    `written_at` is when the block of `as_of` was written: levels that still stood then are counted up to it.
    """

    format: str
    customer: str
    start: Moment
    end: Moment
    timezone: str
    window: str
    as_of: Count
    block: Count
    block_hash: Hash
    written_at: Moment
    events: Count
    merkle_root: Hash
    meters: tuple[StatedMeter, ...]
    digest: Hash | UnsetType = UNSET


_encode: Final = msgspec.json.Encoder(order="sorted").encode
_decode: Final = msgspec.json.Decoder(Statement, strict=True).decode


def stated_definition(meter: Meter) -> StatedDefinition:
    """Return what of a meter decides its figures, with its name and unit."""
    return StatedDefinition(**{name: getattr(meter, name) for name in StatedDefinition.__struct_fields__})


def encode_statement(statement: Statement) -> bytes:
    """Return the document, its digest made anew."""
    return _encode(structs.replace(statement, digest=digest_of(statement)))


def digest_of(statement: Statement) -> str:
    """Return the digest that the document must name."""
    return sha256(_encode(structs.replace(statement, digest=UNSET))).hexdigest()


def decode_statement(document: bytes) -> Statement:
    """Return the statement of a document, which may end in a line end. Raises `InvalidStatement` unless every byte is as it must be."""
    try:
        statement = _decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidStatement(f"it cannot be read: {error}") from error
    if statement.format != FORMAT:
        raise InvalidStatement(f"its format is {statement.format[:64]!a}, and this program knows {FORMAT}")
    if statement.digest is UNSET:
        raise InvalidStatement("it names no digest")
    if statement.digest != digest_of(statement):
        raise InvalidStatement(
            f"it names the digest {statement.digest}, and has {digest_of(statement)}: it was changed"
        )
    if _encode(statement) != document.removesuffix(b"\n").removesuffix(b"\r"):
        raise InvalidStatement("it is not written canonically: something was added, moved or spelled otherwise")
    return statement
