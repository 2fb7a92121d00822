"""Decoding: from the bytes of a request to the columns that the engine takes.

Seven fields in five formats (`decode`), two compressions (`compression`), one set of rules (`event_rules`). Importable alone; knows
nothing of HTTP but the names of its media types and encodings. Each reason to refuse an event is explained in `docs/rejections.md`.
"""

from .compression import decompress
from .decode import MEDIA_TYPES, decode_events, decode_plain_events
from .errors import (
    BodyTooLarge,
    TooLarge,
    TooManyEvents,
    UnknownEncoding,
    UnknownMediaType,
    UnreadableBody,
)
from .limits import DecodeLimits

__all__ = [
    "MEDIA_TYPES",
    "BodyTooLarge",
    "DecodeLimits",
    "TooLarge",
    "TooManyEvents",
    "UnknownEncoding",
    "UnknownMediaType",
    "UnreadableBody",
    "decode_events",
    "decode_plain_events",
    "decompress",
]
