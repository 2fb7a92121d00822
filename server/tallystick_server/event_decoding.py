"""From the bytes of a request to a batch of events, for ingest and for re-submission alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tallystick.decode import DecodeLimits, UnknownEncoding, decode_events, decode_plain_events, decompress
from tallystick.entropy import Entropy
from tallystick.event_batch import EventBatch
from tallystick.instant import NS_PER_S, Clock
from tallystick.reconcile.claims import Claims, decode_claims

from .problem import busy
from .settings import Settings

T = TypeVar("T")

ENCODINGS = (b"", b"identity", b"gzip", b"x-gzip", b"zstd")


class EventDecoding:
    """The decoder with its limits, clock and threads.

    Threads, because a megabyte of events takes tens of milliseconds, and a compressed kilobyte can be a megabyte.
    """

    def __init__(self, settings: Settings, *, clock: Clock, entropy: Entropy) -> None:
        self._clock, self._entropy = clock, entropy
        self._limits = DecodeLimits(
            body_bytes_max=settings.body_bytes_max, future_ns_max=settings.event_future_max_s * NS_PER_S
        )
        self._threads = ThreadPoolExecutor(max_workers=settings.decode_threads, thread_name_prefix="tallystick-decode")

    def decode(self, body: bytes, media_type: str) -> EventBatch:
        """Decode a body that is not compressed, here and now. Raises `UnreadableBody`, `TooLarge`, `UnknownMediaType`."""
        return decode_events(
            body, media_type=media_type, received_at=self._clock.now(), limits=self._limits, entropy=self._entropy
        )

    def decode_plain(self, body: bytes, media_type: str) -> EventBatch | None:
        """Decode a body where it arrived if that takes about a microsecond an event; None where it may take longer."""
        return decode_plain_events(
            body, media_type=media_type, received_at=self._clock.now(), limits=self._limits, entropy=self._entropy
        )

    async def decode_in_thread(self, body: bytes, media_type: str, encoding: bytes) -> EventBatch:
        """Decompress and decode in a thread. What waits for one is bounded by the budget of bodies in flight."""
        return await self._in_thread(lambda: self.decode(self._decompressed(body, encoding), media_type))

    async def claims_in_thread(
        self, body: bytes, media_type: str, encoding: bytes, *, customer: str, source: str | None
    ) -> Claims:
        """Decompress and read somebody else's list in a thread. Raises as `decode`."""
        return await self._in_thread(
            lambda: decode_claims(
                self._decompressed(body, encoding),
                media_type=media_type,
                customer=customer,
                source=source,
                received_at=self._clock.now(),
                limits=self._limits,
            )
        )

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except RuntimeError as error:
            if "shutdown" not in str(error):
                raise
            raise busy("the appliance is shutting down", code="closing") from error

    def _decompressed(self, body: bytes, encoding: bytes) -> bytes:
        if encoding in {b"", b"identity"}:
            return body
        return decompress(body, encoding.decode("latin-1"), limit_bytes=self._limits.body_bytes_max)

    def close(self) -> None:
        """Release the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def checked_encoding(encoding: bytes) -> bytes:
    """Return the encoding in small letters, or refuse it before the body is read. Raises `UnknownEncoding`."""
    lowered = encoding.strip().lower()
    if lowered not in ENCODINGS:
        raise UnknownEncoding(encoding.decode("latin-1"))
    return lowered
