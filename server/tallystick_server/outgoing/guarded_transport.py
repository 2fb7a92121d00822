"""An HTTP transport that connects to the address that was checked, and to no other.

The name is resolved and judged here, then the connection is made to that address: between the check and the connection nobody is asked
again, so that a name that changes its address in between (DNS rebinding) changes nothing. TLS still verifies the name.
Promises: no proxy of the environment is used; no connection is used twice, since one that was verified for a name must not serve another
name of the same address.
"""

from __future__ import annotations

import ssl
from functools import cached_property

import httpx

from .networks import Networks


class GuardedTransport(httpx.AsyncBaseTransport):
    """The transport; raises `RefusedAddress` and `UnresolvedName` beside what httpx raises."""

    def __init__(self, networks: Networks, *, verify: ssl.SSLContext | None = None) -> None:
        self._networks = networks
        self._verify = verify

    @cached_property
    def _inner(self) -> httpx.AsyncHTTPTransport:
        # Made late: reading the certificates takes some 20 ms.
        return httpx.AsyncHTTPTransport(
            verify=self._verify or ssl.create_default_context(),
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0, max_connections=None),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Resolve, check, and send to the first address that takes the connection."""
        url = request.url
        addresses = await self._networks.resolved(url.host, url.port or (443 if url.scheme == "https" else 80))
        failure: httpx.ConnectError | None = None
        for address in addresses:
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.url = url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except httpx.ConnectError as error:
                failure = error
            finally:
                request.url = url
        raise failure or httpx.ConnectError("no address")

    async def aclose(self) -> None:
        """Close what is open."""
        if "_inner" in self.__dict__:
            await self._inner.aclose()
