"""Where the API keys of connections are kept: in the desktop's keyring, or, where there is none, in a file with mode 0600.

Promises: a key goes with one connection's name and address, so that changing the address in a file does not send it elsewhere; a key counts
as kept once it was read back; nothing here prints a key or puts one in a message. A keyring that fails, or does not answer within a minute
(it may be asking for its password), is reported and never ends the program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from .failure import ConfigFailure
from .private_file import PrivateFile, Say

T = TypeVar("T")

_SERVICE: Final = "tallystick"
_ANSWER_TIMEOUT_S: Final = 60.0
_FILE_BYTES_MAX: Final = 256 * 1024


class KeyPlace(StrEnum):
    """Where the key of a connection is; `NONE`: asked for each time, or taken from the environment."""

    KEYRING = "keyring"
    FILE = "file"
    NONE = "none"


class KeyringUnusable(ConfigFailure):
    """The keyring did not do what it was asked."""


class _Document(msgspec.Struct):
    """The file: keys by the account they are kept under."""

    keys: dict[str, str]


class KeyStore:
    """Keeps, finds and forgets keys."""

    def __init__(self, folder: Path, *, say: Say, answer_timeout_s: float = _ANSWER_TIMEOUT_S) -> None:
        self._file = PrivateFile(folder / "keys.json", say=say, bytes_max=_FILE_BYTES_MAX)
        self._say, self._answer_timeout_s = say, answer_timeout_s

    def keep(self, name: str, url: str, key: str, *, place: KeyPlace | None = None) -> KeyPlace:
        """Keep a key and return where; `place` None takes the keyring if it works, else the file."""
        if place is KeyPlace.NONE:
            return place
        if place is not KeyPlace.FILE:
            try:
                self._keep_in_keyring(_account(name, url), key)
            except KeyringUnusable as error:
                if place is KeyPlace.KEYRING:
                    raise
                self._say(f"{error}; the key is kept in {self._file.path}, which you alone can read")
            else:
                return KeyPlace.KEYRING
        self._change_file(lambda keys: keys | {_account(name, url): key})
        return KeyPlace.FILE

    def find(self, name: str, url: str, place: KeyPlace) -> str | None:
        """Return a key, None where it is not. Raises `ConfigFailure`."""
        match place:
            case KeyPlace.KEYRING:
                return self._of_keyring(_account(name, url))
            case KeyPlace.FILE:
                return self._read_file().get(_account(name, url))
            case KeyPlace.NONE:
                return None

    def forget(self, name: str, url: str, place: KeyPlace) -> None:
        """Delete a key; one that is not there is no mistake."""
        account = _account(name, url)
        match place:
            case KeyPlace.KEYRING:
                self._delete_from_keyring(account)
            case KeyPlace.FILE:
                self._change_file(lambda keys: {other: key for other, key in keys.items() if other != account})
            case KeyPlace.NONE:
                return

    def _keep_in_keyring(self, account: str, key: str) -> None:
        import keyring  # noqa: PLC0415 - 190 ms, for those who keep a key there

        self._answered(lambda: keyring.set_password(_SERVICE, account, key))
        # A backend may do nothing at all, and say nothing of it (keyring.backends.null).
        if self._of_keyring(account) != key:
            raise KeyringUnusable("the keyring did not keep the key")

    def _of_keyring(self, account: str) -> str | None:
        import keyring  # noqa: PLC0415 - as above

        return self._answered(lambda: keyring.get_password(_SERVICE, account))

    def _delete_from_keyring(self, account: str) -> None:
        import keyring  # noqa: PLC0415 - as above

        if self._of_keyring(account) is not None:
            self._answered(lambda: keyring.delete_password(_SERVICE, account))

    def _answered(self, ask: Callable[[], T]) -> T:
        """Return what a keyring answers; it may wait for somebody to type a password, on a screen where nobody is."""
        answers: list[T] = []
        failures: list[Exception] = []

        def run() -> None:
            try:
                answers.append(ask())
            except Exception as error:  # noqa: BLE001 - a backend is another's code, and may raise anything
                failures.append(error)

        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self._answer_timeout_s)
        if failures:
            raise KeyringUnusable(f"the keyring cannot be used ({_first_words(failures[0])})") from failures[0]
        if not answers:
            raise KeyringUnusable(f"the keyring did not answer within {self._answer_timeout_s:g} s")
        return answers[0]

    def _read_file(self) -> dict[str, str]:
        body = self._file.read()
        if body is None:
            return {}
        try:
            return msgspec.json.decode(body, type=_Document).keys
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # The decoder's words may quote what it read, which is keys.
            self._file.set_aside("is not what was written there")
            return {}

    def _change_file(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        with self._file.turn():
            before = self._read_file()
            after = change(before)
            if after != before:
                self._file.write(msgspec.json.encode(_Document(after)))


def _account(name: str, url: str) -> str:
    return f"{name} {url}"


def _first_words(error: Exception) -> str:
    words = str(error).split(". ", 1)[0].strip().rstrip(".")
    return words.splitlines()[0][:200] if words else type(error).__name__
