"""Who is past a threshold now, over all signals, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text

from tallystick_tui.connection.fired_signal import FiredSignal, FiredSignals
from tallystick_tui.texts import moments
from tallystick_tui.widgets.record_table import Column

from .view import ROWS_MAX, View, lines_of
from .words import figures_in_words, state_in_words, subject_in_words


class FiredView(View[FiredSignal]):
    """What is fired now."""

    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("state", "State"),
        Column("subject", "Who"),
        Column("signal", "Signal"),
        Column("figures", "Figure", "right"),
        Column("since", "Since", "right"),
    )
    EMPTY: ClassVar[str] = "Nothing is fired now.\n\ns lists the signals, n defines one."

    async def fetch(self) -> Sequence[FiredSignal]:
        """Ask what is fired."""
        return (await self.client.ask("/v1/signals/fired", [("limit", str(ROWS_MAX))], answer=FiredSignals)).items

    def key_of(self, record: FiredSignal) -> str:
        """Return signal and subject."""
        return "\n".join((record.signal, record.customer or "", *(f"{k}={v}" for k, v in record.group.items())))

    def cells_of(self, record: FiredSignal) -> tuple[str | Text, ...]:
        """Return a row."""
        return (
            Text(state_in_words(record.state), style="bold" if record.state == "fired" else "dim"),
            subject_in_words(record.customer, record.group),
            record.name,
            figures_in_words(record),
            moments.age(moments.parsed(record.since), self.viewer.now()),
        )

    def details_of(self, record: FiredSignal) -> Text:
        """Return the figures and the period."""
        zone = self.viewer.zone
        pairs = [
            ("signal", record.name),
            ("who", subject_in_words(record.customer, record.group)),
            ("meter", record.meter),
            ("state", f"{state_in_words(record.state)}, level {record.level}"),
            ("figure", figures_in_words(record)),
            ("since", moments.date_and_time(moments.parsed(record.since), zone)),
            ("period", moments.as_short_as_exact(moments.parsed(record.period.start), zone)),
            ("until", moments.as_short_as_exact(moments.parsed(record.period.end), zone)),
        ]
        if record.snoozed_until:
            pairs.append(("snoozed", f"until {moments.date_and_time(moments.parsed(record.snoozed_until), zone)}"))
        return lines_of(pairs)
