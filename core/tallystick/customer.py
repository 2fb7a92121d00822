"""A customer: whose usage is counted. Events of unknown customers count at once; a customer only adds a name and a zone."""

from __future__ import annotations

import msgspec

from .instant import Instant


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as the operator described it. `metadata` is theirs: text to text, never looked into."""

    key: str
    name: str | None = None
    email: str | None = None
    metadata: dict[str, str] = {}
    time_zone: str = "UTC"
    created_at: Instant = Instant(0)
    updated_at: Instant = Instant(0)


class CustomerSearch(msgspec.Struct, frozen=True):
    """Customers whose key, name or e-mail address holds a text, however it is capitalised."""

    text: str

    def finds(self, *texts: str | None) -> bool:
        """Whether one of the texts holds what is searched for."""
        wanted = self.text.casefold()
        return any(text is not None and wanted in text.casefold() for text in texts)


class CustomerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's name as events carry it, whether or not somebody described it: how many, and the time of the latest."""

    key: str
    event_count: int
    last_event_at: Instant
