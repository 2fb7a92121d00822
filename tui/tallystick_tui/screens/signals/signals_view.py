"""All signals: what each watches, and whether it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from zoneinfo import ZoneInfo

from rich.text import Text

from tallystick_tui.texts import moments
from tallystick_tui.widgets.record_table import Column

from .records import Signal
from .view import ROWS_MAX, View, lines_of
from .words import condition_in_words, listed, period_in_words, scope_in_words, signal_in_words


class SignalsView(View[Signal]):
    """The signals by key."""

    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("name", "Signal"),
        Column("meter", "Meter"),
        Column("who", "Of"),
        Column("when", "When"),
        Column("channels", "Tells"),
        Column("state", ""),
    )
    WIDE_COLUMNS: ClassVar[frozenset[str]] = frozenset({"channels"})
    EMPTY: ClassVar[str] = (
        "There are no signals yet.\n\nn defines one: it tells when usage passes a threshold, changes, or stops.\n"
        "c then n makes a channel first, if nobody can be told yet."
    )

    async def fetch(self) -> Sequence[Signal]:
        """Ask for the signals."""
        return (await self.client.ask_page("/v1/signals", item=Signal, limit=ROWS_MAX)).items

    def key_of(self, record: Signal) -> str:
        """Return the key."""
        return record.key

    def cells_of(self, record: Signal) -> tuple[str | Text, ...]:
        """Return a row."""
        state = "off" if not record.enabled else "◌ snoozed" if record.snoozed_until else "on"
        often = "" if record.condition.type == "no_data" else f" {period_in_words(record.period)}"
        return (
            record.name or record.key,
            record.meter,
            scope_in_words(record),
            condition_in_words(record.condition) + often,
            listed(record.channels, otherwise="nobody"),
            Text(state, style="" if record.enabled else "dim"),
        )

    def details_of(self, record: Signal) -> Text:
        """Return the definition."""
        return Text(f"{signal_in_words(record)}\n\n", style="bold").append_text(definition_of(record, self.viewer.zone))


def definition_of(record: Signal, zone: ZoneInfo) -> Text:
    """Return a signal's definition as lines."""
    pairs = [
        ("key", record.key),
        ("meter", record.meter),
        ("who", scope_in_words(record)),
        ("when", condition_in_words(record.condition)),
        ("per", f"{period_in_words(record.period)}, {record.timezone}"),
        ("only", listed([f"{name}={'|'.join(v)}" for name, v in record.filter.items()], otherwise="everything")),
        ("tells", listed(record.channels, otherwise="nobody")),
        ("digest", "each at once" if record.digest == "none" else record.digest),
        ("watches", "yes" if record.enabled else "no: it is off"),
    ]
    if record.snoozed_until:
        pairs.append(("snoozed", f"until {moments.date_and_time(moments.parsed(record.snoozed_until), zone)}"))
    return lines_of(pairs)
