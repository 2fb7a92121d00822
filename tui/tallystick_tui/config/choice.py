"""Which appliance is meant, and with which key: options beat names, names beat the environment, and that what is used by default.

A key goes only where it belongs: one that is kept for a connection to that connection's address; `TALLYSTICK_API_KEY` to an address
given by `--url` or `TALLYSTICK_URL`, to the default one, and to a connection of which no key is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from .connections import Connections, checked_url
from .failure import WrongConnection
from .key_store import KeyPlace

DEFAULT_URL: Final = "http://127.0.0.1:7070"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The appliance to speak to; `name` is how its connection is called, `api_key` None where no key is known."""

    url: str
    name: str | None = None
    api_key: str | None = None

    def __repr__(self) -> str:
        """Leave the key out: what is printed in a hurry ends in a log."""
        return f"Choice(url={self.url!r}, name={self.name!r})"


def choose(
    connections: Connections,
    environment: Mapping[str, str],
    *,
    url: str | None = None,
    api_key: str | None = None,
    name: str | None = None,
) -> Choice:
    """Return the appliance that is meant. Raises `ConfigFailure`."""
    if url is not None and name is not None:
        raise WrongConnection("give --url or --connection, not both")
    given = api_key or environment.get("TALLYSTICK_API_KEY") or None
    address = url or (environment.get("TALLYSTICK_URL") if name is None else None) or None
    if address is not None:
        address = checked_url(address)
        known = connections.name_of(address)
        return Choice(url=address, name=known, api_key=given or (connections.key_of(known) if known else None))
    name = name or connections.read().used
    if name is None:
        return Choice(url=DEFAULT_URL, api_key=given)
    saved = connections.get(name)
    kept = given if saved.key_in is KeyPlace.NONE else connections.key_of(name) if api_key is None else None
    return Choice(url=saved.url, name=name, api_key=api_key or kept)
