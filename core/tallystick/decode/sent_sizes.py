"""How much must have been sent for the decoded columns to be all of it: how a repeated or an unknown key is noticed.

msgspec keeps the last of repeated keys and skips unknown ones; what it decoded shows neither. But the columns say which fields there
were and how long they are, and so how many bytes that are no space must have been sent, whatever the layout. Every further key
makes the body longer than that, and nothing makes it shorter; an escaped character makes it longer too, and is looked at twice.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

# Below this, numpy costs more than bytes.translate.
_VECTOR_MIN_BYTES: Final = 2_048
# Inside a JSON string nothing up to the space can stand but the space itself, so that counting needs no look at strings.
_SPACE: Final = bytes(range(0x21))


class SentSizes(msgspec.Struct, gc=False):
    """`members` counts the fields of all events together; `punctuation_bytes` is what JSON writes around `texts` and raw values."""

    members: int = 0
    punctuation_bytes: int = 0
    texts: list[str] = msgspec.field(default_factory=list[str])

    def add(self, name: str, sent: int, *, quoted: int = 0, nulls: int = 0) -> None:
        """Note that a field was sent so often, `quoted` times as text and `nulls` times as null."""
        self.members += sent
        self.punctuation_bytes += sent * (len(name) + len('"":')) + quoted * len('""') + nulls * len("null")

    def json_bytes(self, event_count: int, *raws: bytes) -> int:
        """Return how many solid bytes these events took, their raw values and properties included."""
        # An event is two braces around members with commas between them, one fewer than there are members.
        around = event_count + self.members
        return self.punctuation_bytes + around + solid_bytes(b"".join(("".join(self.texts).encode(), *raws)))


def solid_bytes(text: bytes) -> int:
    """Return how many bytes are neither space nor control characters."""
    if len(text) < _VECTOR_MIN_BYTES:
        return len(text.translate(None, _SPACE))
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) > _SPACE[-1]))
