"""One try to post a message to a webhook.

Promises: 10 seconds at most, from the name's lookup to the end of the answer; 2 KiB of the answer are read, whatever it announces, and not
unpacked; redirects are not followed. Whatever goes wrong is an answer, never an exception.
"""

from __future__ import annotations

import asyncio
import ssl
from email.utils import parsedate_to_datetime

import httpx

from tallystick.instant import NS_PER_S, Clock

from .guarded_transport import GuardedTransport
from .networks import Networks, RefusedAddress, UnresolvedName
from .seal import ChannelSecrets
from .sent import Sent, cut
from .webhook_secret import signature_header

TIMEOUT_S = 10.0
_ANSWER_BYTES_MAX = 2_048
_GONE, _TOO_MANY, _UNAVAILABLE = 410, 429, 503


class WebhookSender:
    """Posts messages; keeps nothing between two of them."""

    def __init__(
        self,
        networks: Networks,
        *,
        clock: Clock,
        user_agent: str,
        timeout_s: float = TIMEOUT_S,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._clock, self._timeout_s = clock, timeout_s
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(networks, verify=verify),
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": user_agent, "accept": "*/*", "accept-encoding": "identity"},
        )

    async def send(self, secrets: ChannelSecrets, *, message_id: str, body: bytes) -> Sent:
        """Post the body, signed with each secret that is valid now."""
        now = self._clock.now()
        timestamp_s = now // NS_PER_S
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature_header(
                secrets.valid(now), message_id=message_id, timestamp_s=timestamp_s, body=body
            ),
        }
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", secrets.url, content=body, headers=headers) as response,
            ):
                return self._judged(response, await _beginning(response))
        except TimeoutError:
            return Sent(is_delivered=False, detail=f"no answer within {self._timeout_s:g} s")
        except (RefusedAddress, UnresolvedName) as error:
            return Sent(is_delivered=False, detail=cut(str(error)))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Sent(is_delivered=False, detail=cut(f"{_words(error)}: {error}" if str(error) else _words(error)))

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    def _judged(self, response: httpx.Response, answer: str) -> Sent:
        status = response.status_code
        retry_after_s = None
        if status in (_TOO_MANY, _UNAVAILABLE):
            retry_after_s = self._asked_for(response.headers.get("retry-after"))
        detail = cut(answer)
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            detail = "answered with a redirect, which is not followed: give the address that it leads to"
        return Sent(
            is_delivered=200 <= status < 300,  # noqa: PLR2004 - success
            detail=detail,
            status=status,
            retry_after_s=retry_after_s,
            is_gone=status == _GONE,
        )

    def _asked_for(self, text: str | None) -> float | None:
        if text is None:
            return None
        if text.strip().isascii() and text.strip().isdigit():
            return float(text.strip()[:9])
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self._clock.now() / NS_PER_S)
        except (ValueError, TypeError, OverflowError):
            return None


async def _beginning(response: httpx.Response) -> str:
    found = b""
    async for piece in response.aiter_raw(chunk_size=_ANSWER_BYTES_MAX):
        found += piece
        if len(found) >= _ANSWER_BYTES_MAX:
            break
    return found[:_ANSWER_BYTES_MAX].decode("utf-8", "replace")


def _words(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return "no connection"
        case httpx.TimeoutException():
            return "no answer in time"
        case httpx.RemoteProtocolError() | httpx.ReadError():
            return "the connection broke before there was an answer"
        case _:
            return type(error).__name__
