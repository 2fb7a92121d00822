"""Headers that every answer carries, whatever route gives it."""

from __future__ import annotations

from .problem import MEDIA_TYPE, Refusal

Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"
# An answer of the API is data: a browser that is made to open one runs nothing of it, and shows it in nobody's frame.
CONTENT_SECURITY_POLICY = b"default-src 'none'; frame-ancestors 'none'"
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


def refusal_headers(refusal: Refusal, size_bytes: int) -> Headers:
    """Return the headers of a problem's answer."""
    own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in refusal.headers.items()]
    return [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % size_bytes), *own]
