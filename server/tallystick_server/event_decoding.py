"""From the bytes of a request to a batch of events, for ingest and for re-submission alike."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tallystick.decode import DecodeLimits, UnknownEncoding, decode_events, decode_plain_events, decompress
from tallystick.entropy import Entropy
from tallystick.event_batch import EventBatch
from tallystick.instant import NS_PER_S, Clock

from .problem import busy
from .settings import Settings

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
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._decompress_and_decode, body, media_type, encoding
            )
        except RuntimeError as error:
            if "shutdown" not in str(error):
                raise
            raise busy("the appliance is shutting down", code="closing") from error

    def _decompress_and_decode(self, body: bytes, media_type: str, encoding: bytes) -> EventBatch:
        if encoding not in {b"", b"identity"}:
            body = decompress(body, encoding.decode("latin-1"), limit_bytes=self._limits.body_bytes_max)
        return self.decode(body, media_type)

    def close(self) -> None:
        """Release the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def checked_encoding(encoding: bytes) -> bytes:
    """Return the encoding in small letters, or refuse it before the body is read. Raises `UnknownEncoding`."""
    lowered = encoding.strip().lower()
    if lowered not in ENCODINGS:
        raise UnknownEncoding(encoding.decode("latin-1"))
    return lowered
