"""The head of a request that only brings events: nothing in it but who sends, in which format, and how many bytes follow.

Most requests of a sender have the same head, byte for byte. What the parser made of it once, `KnownHeads` remembers, so that the next
time the bytes need no parsing: the same bytes mean the same, and this file holds no parser of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from . import auth
from .request_ids import HEADER as REQUEST_ID

HEAD_END: Final = b"\r\n\r\n"
# What changes how a body is read or how an answer is written; the general way knows how.
_UNUSUAL: Final = frozenset(
    {b"content-encoding", b"transfer-encoding", b"expect", b"upgrade", b"connection", b"te", b"trailer", b"origin"}
)
_KEEP_ALIVE: Final = b"keep-alive"
_HEADS_MAX: Final = 1_024
_HEAD_BYTES_MAX: Final = 2_048


class PlainHead(msgspec.Struct, frozen=True):
    """What such a head says; `request_id` is the sender's own, if it gave one."""

    secret: str
    media_type: str
    body_bytes: int
    request_id: bytes | None


def plain_head(headers: Sequence[tuple[bytes, bytes]], *, body_bytes_max: int) -> PlainHead | None:
    """Return what the headers (names in small letters) say; None if they say anything else besides."""
    named = dict(headers)
    if named.get(b"connection", b"").lower() == _KEEP_ALIVE:
        del named[b"connection"]
    length = named.get(b"content-length", b"")
    secret = auth.secret_in(named)
    if not secret or not _UNUSUAL.isdisjoint(named) or not length.isdigit():
        return None
    body_bytes = int(length[:20])
    if not 0 < body_bytes <= body_bytes_max:
        return None
    media_type = named.get(b"content-type", b"application/json").decode("latin-1")
    return PlainHead(secret, media_type, body_bytes, named.get(REQUEST_ID))


class KnownHeads:
    """Heads that were parsed and let in before, by their bytes. Bounded: past its limit all are forgotten, and learnt again."""

    def __init__(self) -> None:
        self._heads: dict[bytes, PlainHead] = {}

    def of(self, request: bytes) -> tuple[PlainHead, bytes] | None:
        """Return head and body of a whole request, and of nothing more, if its head is known."""
        start = request.find(HEAD_END) + len(HEAD_END)
        head = self._heads.get(request[:start])
        if head is None or len(request) - start != head.body_bytes:
            return None
        return head, request[start:]

    def learn(self, request: bytes, head: PlainHead) -> None:
        """Remember the head of a request, if these bytes are all of the request and of nothing more."""
        start = request.find(HEAD_END) + len(HEAD_END)
        if len(request) - start != head.body_bytes or start > _HEAD_BYTES_MAX or head.request_id is not None:
            return
        if len(self._heads) >= _HEADS_MAX:
            self._heads.clear()
        self._heads[request[:start]] = head
