"""The line of filters above a list of events: customer, type, time. Enter takes them; what is typed stays, also when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


@dataclass(frozen=True, slots=True)
class Filters:
    """What is typed."""

    customer: str = ""
    type: str = ""
    time: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is."""
        return not (self.customer or self.type or self.time)


class FilterBar(Horizontal):
    """Three inputs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back to the list"),
    ]
    DEFAULT_CSS = """
    FilterBar { height: 1; background: $surface; }
    FilterBar Label { color: $secondary; padding: 0 1; }
    FilterBar Input { width: 1fr; background: $panel; padding: 0 1; }
    FilterBar Input:focus { background: $primary 30%; }
    FilterBar #filter-time { width: 2fr; }
    """

    class Taken(Message):
        """Somebody wants these filters."""

        def __init__(self, filters: Filters) -> None:
            super().__init__()
            self.filters = filters

    class Left(Message):
        """Somebody wants to go back to the list."""

    def compose(self) -> ComposeResult:
        """Lay out the inputs, each behind its name."""
        for name, words in (("customer", "any"), ("type", "any"), ("time", "any: 24h, today, a date")):
            yield Label(name)
            yield Input(id=f"filter-{name}", placeholder=words, compact=True)

    @property
    def filters(self) -> Filters:
        """What is typed now."""
        customer, event_type, time = (
            self.query_one(f"#filter-{name}", Input).value for name in ("customer", "type", "time")
        )
        return Filters(customer, event_type, time.strip())

    def put(self, filters: Filters) -> None:
        """Show filters that came from elsewhere."""
        for name, value in (("customer", filters.customer), ("type", filters.type), ("time", filters.time)):
            self.query_one(f"#filter-{name}", Input).value = value

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Hand the filters over."""
        event.stop()
        self.post_message(self.Taken(self.filters))

    def action_leave(self) -> None:
        """Go back without taking anything."""
        self.post_message(self.Left())
