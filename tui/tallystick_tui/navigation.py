"""Where one can go: the nine sections, and what to show there.

A screen sends the app a `Destination`; the app switches to its section and hands it over (`SectionScreen.arrive`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Section(StrEnum):
    """The nine screens at the top; the value is the mode's name and the title."""

    OVERVIEW = "Overview"
    EXPLORER = "Explorer"
    EVENTS = "Events"
    METERS = "Meters"
    CUSTOMERS = "Customers"
    SIGNALS = "Signals"
    QUARANTINE = "Quarantine"
    LEDGER = "Ledger"
    SETTINGS = "Settings"

    @property
    def key(self) -> str:
        """The key that opens it, 1 to 9."""
        return str(list(Section).index(self) + 1)


@dataclass(frozen=True, slots=True)
class Destination:
    """A section as it is; subclasses say what to show there."""

    section: Section


@dataclass(frozen=True, slots=True)
class ToExplorer(Destination):
    """A question to the explorer. `filters` by name (`customer` too).

    What is None stays as the person left it; with `is_whole` it is as in a new question, so that the figure is the one somebody came from.
    """

    section: Section = Section.EXPLORER
    meter: str | None = None
    group_by: tuple[str, ...] | None = None
    filters: dict[str, tuple[str, ...]] | None = None
    start: str | None = None
    end: str | None = None
    window: str | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class ToEvents(Destination):
    """Events of a customer, a type; or one event by source and id, opened."""

    section: Section = Section.EVENTS
    customer: str | None = None
    type: str | None = None
    source: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ToMeter(Destination):
    """One meter, opened."""

    section: Section = Section.METERS
    key: str = ""


@dataclass(frozen=True, slots=True)
class ToCustomer(Destination):
    """One customer, opened."""

    section: Section = Section.CUSTOMERS
    key: str = ""


@dataclass(frozen=True, slots=True)
class ToSignal(Destination):
    """One signal, opened; or (empty key) a new one for a meter or customer."""

    section: Section = Section.SIGNALS
    key: str = ""
    new_for: dict[str, str] = field(default_factory=dict[str, str])
