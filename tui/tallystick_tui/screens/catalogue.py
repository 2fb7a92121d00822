"""Which class shows which section. Imported one by one: a section costs nothing until it is shown."""

from __future__ import annotations

from tallystick_tui.navigation import Section

from .section_screen import SectionScreen


def screen_of(section: Section) -> type[SectionScreen]:
    """Return the class of a section's screen."""
    match section:
        case Section.OVERVIEW:
            from .overview.overview_screen import OverviewScreen as Shown
        case Section.EXPLORER:
            from .explorer.explorer_screen import ExplorerScreen as Shown
        case Section.EVENTS:
            from .events.events_screen import EventsScreen as Shown
        case Section.METERS:
            from .meters.meters_screen import MetersScreen as Shown
        case Section.CUSTOMERS:
            from .customers.customers_screen import CustomersScreen as Shown
        case Section.SIGNALS:
            from .signals.signals_screen import SignalsScreen as Shown
        case Section.QUARANTINE:
            from .quarantine.quarantine_screen import QuarantineScreen as Shown
        case Section.LEDGER:
            from .ledger.ledger_screen import LedgerScreen as Shown
        case Section.SETTINGS:
            from .settings.settings_screen import SettingsScreen as Shown
    return Shown
