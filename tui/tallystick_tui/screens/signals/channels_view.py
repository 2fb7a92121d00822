"""Where messages go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text

from tallystick_tui.connection.appliance_client import Page
from tallystick_tui.texts.figures import exact
from tallystick_tui.widgets.record_table import Column

from .records import Channel
from .view import View, lines_of


class ChannelsView(View[Channel]):
    """The channels by key."""

    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("key", "Channel"),
        Column("kind", "Kind"),
        Column("url", "Address"),
        Column("waiting", "Waiting", "right"),
        Column("state", "State"),
    )
    EMPTY: ClassVar[str] = (
        "There are no channels yet.\n\nn makes one: a webhook, or e-mail, Slack, Discord, Teams, PagerDuty, ntfy\n"
        "and the others that Apprise knows."
    )

    async def fetch(self) -> Sequence[Channel]:
        """Ask for the channels."""
        return (await self.client.ask("/v1/channels", answer=Page[Channel])).items

    def key_of(self, record: Channel) -> str:
        """Return the key."""
        return record.key

    def cells_of(self, record: Channel) -> tuple[str | Text, ...]:
        """Return a row."""
        state = "on" if record.enabled else Text("! off", style="bold")
        return (record.key, record.kind, record.url, exact(record.waiting), state)

    def details_of(self, record: Channel) -> Text:
        """Return what may be shown of it."""
        pairs = [
            ("key", record.key),
            ("name", record.name or ""),
            ("kind", record.kind),
            ("address", record.url),
            ("waiting", exact(record.waiting)),
            ("sends", "yes" if record.enabled else f"no: {record.disabled_reason or 'disabled'}"),
        ]
        return lines_of(pairs)
