"""Messages on their way, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from zoneinfo import ZoneInfo

from rich.text import Text

from tallystick_tui.texts import moments
from tallystick_tui.texts.figures import exact
from tallystick_tui.widgets.record_table import Column

from .records import Delivery
from .view import View, lines_of
from .words import delivery_in_words, listed

_LISTED = 200


class DeliveriesView(View[Delivery]):
    """The newest deliveries."""

    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("state", "State"),
        Column("event", "Tells"),
        Column("signals", "Signals"),
        Column("channel", "To"),
        Column("tries", "Tries", "right"),
        Column("made", "Made", "right"),
    )
    EMPTY: ClassVar[str] = "No message was sent yet.\n\nc lists the channels; t there sends a test."

    async def fetch(self) -> Sequence[Delivery]:
        """Ask for the newest."""
        return (await self.client.ask_page("/v1/deliveries", item=Delivery, limit=_LISTED)).items

    def key_of(self, record: Delivery) -> str:
        """Return the id."""
        return record.id

    def cells_of(self, record: Delivery) -> tuple[str | Text, ...]:
        """Return a row."""
        return (
            Text(delivery_in_words(record), style="bold" if record.state == "failed" else ""),
            record.event,
            listed(record.signals[:3], otherwise="-") + (" …" if len(record.signals) > 3 else ""),  # noqa: PLR2004 - as many as fit
            record.channel,
            exact(record.attempt_count),
            moments.age(moments.parsed(record.created_at), self.viewer.now()),
        )

    def details_of(self, record: Delivery) -> Text:
        """Return the message's way."""
        return delivery_in_full(record, self.viewer.zone)


def delivery_in_full(record: Delivery, zone: ZoneInfo) -> Text:
    """Return a delivery and all its tries, as lines."""
    pairs = [
        ("id", record.id),
        ("to", record.channel),
        ("tells", f"{record.event}" + (f", {exact(record.steps)} steps" if record.steps > 1 else "")),
        ("about", record.customer or ""),
        ("state", delivery_in_words(record)),
        ("why", record.reason or ""),
        ("made", moments.date_and_time(moments.parsed(record.created_at), zone)),
        ("due", moments.date_and_time(moments.parsed(record.due_at), zone) if record.due_at else ""),
    ]
    text = lines_of([pair for pair in pairs if pair[1]])
    for attempt in record.attempts:
        at = moments.date_and_time(moments.parsed(attempt.at), zone)
        status = f" {attempt.status}" if attempt.status is not None else ""
        text.append(f"\n{at}  {attempt.outcome}{status}, {exact(attempt.duration_ms)} ms")
        if attempt.detail:
            text.append(f"\n  {attempt.detail}", style="dim")
    return text
