"""Why a whole request was refused before any of its events was looked at; nothing of it was counted or kept."""

from __future__ import annotations

from tallystick.errors import TallystickError


class UnreadableBody(TallystickError, ValueError):
    """The body is not what its media type or its encoding says, from its first byte or as a whole (HTTP 400)."""


class TooLarge(TallystickError, ValueError):
    """The request is over a limit of size (HTTP 413); send it in several."""


class TooManyEvents(TooLarge):
    """More events than one request may carry."""

    def __init__(self, events_max: int) -> None:
        super().__init__(f"a request carries at most {events_max:,} events: send the rest in further requests")
        self.events_max = events_max


class BodyTooLarge(TooLarge):
    """More bytes than one request may carry, counted after decompression."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"a request carries at most {limit_bytes:,} bytes, counted after decompression: send the rest in further requests"
        )
        self.limit_bytes = limit_bytes


class UnknownMediaType(TallystickError, ValueError):
    """No decoder for this `Content-Type` (HTTP 415)."""

    def __init__(self, media_type: str, *, known: tuple[str, ...]) -> None:
        super().__init__(f"content type {media_type[:80]!a} is not known: use one of {', '.join(known)}")
        self.media_type = media_type


class UnknownEncoding(TallystickError, ValueError):
    """No decompressor for this `Content-Encoding` (HTTP 415)."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"content encoding {encoding[:80]!a} is not known: use gzip, zstd or none")
        self.encoding = encoding
