"""What a webhook's URL may be, and how it is shown."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tallystick.errors import InvalidDefinition

from .networks import Networks, RefusedAddress, UnresolvedName

HIDDEN = "***"
_LENGTH_MAX = 2_048


def checked_webhook_url(text: str) -> SplitResult:
    """Return the parts of a URL that a message may be posted to. Raises `InvalidDefinition`, without the URL in it."""
    if len(text) > _LENGTH_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidDefinition("url", f"must be printable ASCII without spaces, {_LENGTH_MAX} characters at most")
    if HIDDEN in text:
        raise InvalidDefinition("url", f"holds {HIDDEN} where a part was hidden from you: give the whole of it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidDefinition("url", "is no URL") from error
    if parts.scheme not in ("http", "https"):
        raise InvalidDefinition("url", "must begin with https:// or http://")
    if not parts.hostname or port == 0:
        raise InvalidDefinition("url", "names no host")
    if parts.fragment:
        raise InvalidDefinition("url", "has a fragment (#...), which is never sent: leave it out")
    return parts


async def check_webhook_url(text: str, networks: Networks) -> None:
    """Check form and destination. A name that does not resolve now is taken: it is looked up again for each message.

    Raises `InvalidDefinition`.
    """
    parts = checked_webhook_url(text)
    try:
        await networks.resolved(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except RefusedAddress as error:
        raise InvalidDefinition("url", str(error)) from error
    except UnresolvedName:
        return


def shown_webhook_url(text: str) -> str:
    """Return the URL with its password and the values of its query hidden."""
    parts = checked_webhook_url(text)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(parts.username)}:{HIDDEN}@{host}" if parts.username else host
    names = [(name, HIDDEN) for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(names, safe="*"), ""))
