"""A keyring in memory that can be told to fail as real ones do."""

from __future__ import annotations

from collections.abc import Callable

from keyring.backend import KeyringBackend


class FakeKeyring(KeyringBackend):
    """Keeps passwords in `kept`; `trouble` is called first, and may raise or wait."""

    priority = 1  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] - a property there

    def __init__(self, *, trouble: Callable[[], None] = lambda: None, forgets: bool = False) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self._trouble, self._forgets = trouble, forgets

    def get_password(self, service: str, username: str) -> str | None:
        self._trouble()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._trouble()
        if not self._forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._trouble()
        del self.kept[service, username]
