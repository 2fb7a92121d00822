"""Which addresses the appliance may connect to on behalf of a channel: public ones, and those that the operator allows.

Promises: private, loopback, link-local (cloud metadata), multicast, reserved and unspecified addresses are refused, also where they are
written inside an IPv6 address (mapped, translated, tunnelled). Names are judged by what they resolve to, all of it.
Does not: know whether a public address belongs to the operator. Who has public addresses for inner services needs a firewall.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

from tallystick.errors import TallystickError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_RESOLVE_TIMEOUT_S = 5.0


class RefusedAddress(TallystickError):
    """An address that the appliance does not connect to; the message says why, and what would allow it."""


class UnresolvedName(TallystickError):
    """A name that resolves to no address now."""


def parsed_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks in CIDR form; an address alone is a network of one. Raises `ValueError` naming the text."""
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ValueError(f"{text[:64]!a} is no network in CIDR form, such as 10.0.0.0/8: {error}") from error
    return tuple(found)


class Networks:
    """What is allowed beside public addresses."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.texts = tuple(allowed)
        self._allowed = parsed_networks(self.texts)

    def check(self, text: str) -> None:
        """Raise `RefusedAddress` for an address that is not to be connected to; a text that is no address is refused as well."""
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError as error:
            raise RefusedAddress(f"{text[:64]!a} is no IP address") from error
        for inner in _meanings(address):
            if not self._is_allowed(inner) and not self._is_allowed(address):
                kind = _kind(inner)
                if kind is not None:
                    raise RefusedAddress(
                        f"{address} is {kind}; the setting allowed_networks has to name its network to allow it"
                    )

    async def resolved(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, each of which may be connected to. Raises `RefusedAddress`, `UnresolvedName`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_RESOLVE_TIMEOUT_S):
                answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise UnresolvedName(f"{host[:64]!a} was not resolved within {_RESOLVE_TIMEOUT_S:g} s") from error
        except (OSError, UnicodeError) as error:
            raise UnresolvedName(f"{host[:64]!a} does not resolve to an address") from error
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        for address in addresses:
            # One bad address among good ones refuses the name: whoever answers for it chooses which one is used.
            self.check(address)
        if not addresses:
            raise UnresolvedName(f"{host[:64]!a} does not resolve to an address")
        return addresses

    def _is_allowed(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._allowed)


def _meanings(address: Address) -> list[Address]:
    """Return the address, and the IPv4 addresses that an IPv6 address carries to."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner: list[Address] = [each for each in (address.ipv4_mapped, address.sixtofour) if each is not None]
    if address.teredo is not None:
        inner += address.teredo
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    # A mapped or translated address is the IPv4 address and nothing of its own.
    return inner if address.ipv4_mapped is not None or address in _NAT64 else [*inner, address]


def _kind(address: Address) -> str | None:
    """Return what is wrong with an address, None for a public one."""
    if address.is_loopback:
        return "a loopback address"
    if address.is_link_local:
        return "a link-local address, where clouds answer for their machines' credentials"
    if address.is_multicast:
        return "a multicast address"
    if address.is_unspecified or address.is_reserved:
        return "a reserved address"
    return None if address.is_global else "a private address"
