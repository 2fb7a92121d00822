"""Appliances by name: `connections.json` in the user's config folder, without keys (see `key_store`).

Promises: a name leads to one address; what is written is valid, and on disk before it is answered. A damaged file is set aside, said, and
never written over.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from .failure import ConfigFailure, NoSuchConnection, WrongConnection
from .key_store import KeyPlace, KeyStore
from .private_file import PrivateFile, Say

CONNECTIONS_MAX: Final = 100
_FILE_BYTES_MAX: Final = 256 * 1024
_URL_LENGTH_MAX: Final = 500
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class SavedConnection(msgspec.Struct, frozen=True):
    """Where an appliance is, and where its key is kept."""

    url: str
    key_in: KeyPlace = KeyPlace.NONE


class ConnectionList(msgspec.Struct, frozen=True):
    """All connections by name; `used` is the one that is taken where none is named."""

    connections: dict[str, SavedConnection] = {}
    used: str | None = None


class Connections:
    """Adds, finds and removes connections; `say` takes lines for the user about what was found and mended."""

    def __init__(self, folder: Path, *, say: Say, keys: KeyStore | None = None) -> None:
        self._file = PrivateFile(folder / "connections.json", say=say, bytes_max=_FILE_BYTES_MAX)
        self._keys = keys or KeyStore(folder, say=say)

    def read(self) -> ConnectionList:
        """Return all of them. Raises `ConfigFailure` where the file cannot be read."""
        body = self._file.read()
        if body is None:
            return ConnectionList()
        try:
            found = msgspec.json.decode(body, type=ConnectionList)
            for name, connection in found.connections.items():
                _checked_name(name)
                checked_url(connection.url)
        except (msgspec.MsgspecError, UnicodeDecodeError, WrongConnection) as error:
            self._file.set_aside(f"is damaged ({error})")
            return ConnectionList()
        return found

    def get(self, name: str) -> SavedConnection:
        """Return one. Raises `NoSuchConnection`, which names those that there are."""
        return _named(self.read(), name)

    def key_of(self, name: str) -> str | None:
        """Return the key that is kept for a connection, None where none is."""
        connection = self.get(name)
        return self._keys.find(name, connection.url, connection.key_in)

    def name_of(self, url: str) -> str | None:
        """Return the name of the connection to an address."""
        return next((name for name, each in self.read().connections.items() if each.url == url.rstrip("/")), None)

    def add(self, name: str, url: str, key: str | None, *, place: KeyPlace | None = None) -> SavedConnection:
        """Add a connection, or replace the one of this name with its key. Raises `ConfigFailure`; the list is then as it was."""
        name, url = _checked_name(name), checked_url(url)
        if key is not None:
            check_key(key)
        with self._file.turn():
            before = self.read()
            if name not in before.connections and len(before.connections) >= CONNECTIONS_MAX:
                raise ConfigFailure(f"there are {CONNECTIONS_MAX} connections already; remove one first")
            kept = self._keys.keep(name, url, key, place=place) if key is not None else KeyPlace.NONE
            added = SavedConnection(url, kept)
            replaced = before.connections.get(name)
            used = before.used if before.used in before.connections else name
            self._write(ConnectionList(before.connections | {name: added}, used))
            if replaced is not None and (replaced.url, replaced.key_in) != (url, kept):
                self._keys.forget(name, replaced.url, replaced.key_in)
        return added

    def remove(self, name: str) -> None:
        """Remove a connection and its key. Raises `NoSuchConnection`."""
        with self._file.turn():
            before = self.read()
            removed = _named(before, name)
            # The key first: should that fail, the connection still tells where it is.
            self._keys.forget(name, removed.url, removed.key_in)
            left = {other: each for other, each in before.connections.items() if other != name}
            self._write(ConnectionList(left, before.used if before.used != name else None))

    def use(self, name: str) -> SavedConnection:
        """Take this connection where none is named. Raises `NoSuchConnection`."""
        with self._file.turn():
            before = self.read()
            connection = _named(before, name)
            self._write(ConnectionList(before.connections, name))
        return connection

    def _write(self, after: ConnectionList) -> None:
        self._file.write(msgspec.json.format(msgspec.json.encode(after), indent=2) + b"\n")


def checked_url(url: str) -> str:
    """Return an appliance's address without a slash at its end. Raises `WrongConnection`."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_whole, parts = False, urlsplit("")
    if not is_whole or not url.isascii() or not url.isprintable() or " " in url or len(url) > _URL_LENGTH_MAX:
        raise WrongConnection(
            f"{url[:100]!a} is no address; give one such as https://usage.example.com or http://127.0.0.1:7070"
        )
    if parts.username is not None or parts.password is not None:
        raise WrongConnection("an address holds no user or password; the key is asked for, and kept apart")
    if parts.query or parts.fragment:
        raise WrongConnection("an address ends before ? and #")
    return url.rstrip("/")


def check_key(key: str) -> None:
    """Refuse what cannot be a key. Raises `WrongConnection`."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise WrongConnection("the key is empty or holds characters that no key has; copy it again")


def is_readable_on_the_way(url: str) -> bool:
    """Tell whether a key sent there travels unencrypted over a network."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise WrongConnection(
            f"{name[:80]!a} is no name for a connection: 1 to 64 letters, digits, `.`, `_` and `-`, the first a letter or digit"
        )
    return name


def _named(found: ConnectionList, name: str) -> SavedConnection:
    connection = found.connections.get(name)
    if connection is None:
        names = ", ".join(sorted(found.connections)) or "none; add one with `tallystick connections add`"
        raise NoSuchConnection(f"no connection is called {name[:80]!a}; there are: {names}")
    return connection
