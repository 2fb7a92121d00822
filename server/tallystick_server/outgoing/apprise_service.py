"""Apprise, as the outgoing child uses it: no file of its own, no redirects, no waiting beyond what it is told.

Apprise has no retries worth the name and its URL grammar is large; so a URL is taken only if Apprise makes a service of it whose scheme
is on our list.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import apprise
import apprise.apprise
from apprise import AppriseAsset, NotifyFormat, NotifyType, PersistentStoreMode

from .apprise_schemes import HOSTED, REFUSED_OPTIONS, refused_scheme
from .child_protocol import SendMessage
from .confinement import refusals
from .networks import Networks, RefusedAddress, UnresolvedName
from .sent import cut

_SECRET_LENGTH_MIN = 5
_MOODS = {"fired": NotifyType.WARNING, "recovered": NotifyType.SUCCESS}


class BadUrl(ValueError):
    """A URL that is taken for no channel; the message says why, without the URL."""


class AppriseService:
    """Checks URLs and sends messages."""

    def __init__(self, *, threads: int, timeout_s: float) -> None:
        # One thread a message: with the library's own six, as many slow receivers would make all others wait.
        apprise.apprise._shared_executor = ThreadPoolExecutor(max_workers=threads)  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
        self._asset = AppriseAsset(
            app_id="Tallystick",
            app_desc="Tallystick",
            storage_mode=PersistentStoreMode.MEMORY,
            http_redirects=False,
            pgp_autogen=False,
            pem_autogen=False,
            allow_templates=False,
            secure_logging=True,
            service_timeout=timeout_s,
        )

    def checked(self, url: str) -> str:
        """Return the URL as it may be shown: secrets hidden, and without options, among which headers may be. Raises `BadUrl`."""
        return str(self._service(url).url(privacy=True)).partition("?")[0]

    async def check_hosts(self, url: str, networks: Networks) -> None:
        """Look where a service would connect to, if its URL names a host. Raises `BadUrl`; a name that does not resolve is let through."""
        if url.partition("://")[0].lower() in HOSTED:
            for host in _hosts(self._service(url)):
                try:
                    await networks.resolved(host, 0)
                except RefusedAddress as error:
                    raise BadUrl(str(error)) from error
                except UnresolvedName:
                    continue

    async def send(self, message: SendMessage) -> str | None:
        """Send, and return None when it arrived, otherwise what went wrong. Raises `BadUrl`."""
        service = self._service(message.url)
        noted: list[str] = []
        refusals.set(noted)
        sender: Any = apprise.Apprise(asset=self._asset)  # Any: as below
        sender.add(service)
        form = NotifyFormat(service.resolve_format())
        body = {NotifyFormat.HTML: message.html, NotifyFormat.MARKDOWN: message.markdown}.get(form, message.text)
        result = await sender.async_notify(
            title=message.title,
            body=body,
            body_format=form,
            notify_type=_MOODS.get(message.mood, NotifyType.INFO),
            timeout=message.timeout_s,
        )
        if result:
            return None
        said = noted[:1] or [str(entry.message) for entry in result.logs()]
        words = "; ".join(dict.fromkeys(said)) or f"the service did not take it ({result.status.name.lower()})"
        return cut(_without_secrets(words, message.url))

    def _service(self, url: str) -> Any:  # Any: Apprise's plugins have no types
        scheme = url.partition("://")[0].lower()
        reason = refused_scheme(scheme)
        if reason is not None:
            raise BadUrl(reason)
        options = {name.lower().lstrip("+-:") for name, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
        refused = sorted(options & REFUSED_OPTIONS)
        if refused:
            raise BadUrl(f"has the option {refused[0]!r}, which is not allowed here")
        library: Any = apprise.Apprise  # Any: half of its types are missing
        service = library.instantiate(url, asset=self._asset, suppress_exceptions=True)
        if service is None or isinstance(service, list):
            raise BadUrl(f"is no complete {scheme}:// URL: Apprise's page of that service says which parts it needs")
        service.redirects = False
        return service


def _hosts(service: Any) -> list[str]:  # Any: as above
    """Return the hosts that a service was told in its URL."""
    named = (getattr(service, "smtp_host", None) or getattr(service, "host", None),)
    # An IPv6 address stands in brackets in a URL, and nowhere else.
    return [host.strip("[]") for host in named if isinstance(host, str) and host]


def _without_secrets(words: str, url: str) -> str:
    """Return the words without any part of the URL but scheme and host."""
    host = (urlsplit(url).hostname or "").lower()
    parts = {part for piece in re.split(r"[/:@?&=,]", url) for part in (piece, unquote(piece))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SECRET_LENGTH_MIN and part.lower() != host and part not in url.partition("://")[0]:
            words = words.replace(part, "***")
    return words
