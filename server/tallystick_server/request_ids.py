"""The id of a request: in the answer's `x-request-id`, in the log, and in every problem."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from tallystick.entropy import Entropy

HEADER = b"x-request-id"
_SANE = re.compile(rb"[A-Za-z0-9._:\-]{1,128}")


class RequestIds:
    """Takes the sender's id if it is short and plain, and counts on from a random start if not.

    Counted rather than drawn: an id must be unique, not unguessable, and drawing one costs more than the rest of a request's head.
    """

    def __init__(self, entropy: Entropy) -> None:
        self._run = entropy.token_bytes(6).hex().encode()
        self._count = itertools.count(1)

    def of(self, headers: Mapping[bytes, bytes]) -> bytes:
        """Return the id of a request with these headers."""
        return self.given_or_next(headers.get(HEADER))

    def given_or_next(self, given: bytes | None) -> bytes:
        """Return the id that a sender gave if it is one that we take, and the next of our own if not."""
        if given is not None and _SANE.fullmatch(given):
            return given
        return b"%s-%x" % (self._run, next(self._count))
