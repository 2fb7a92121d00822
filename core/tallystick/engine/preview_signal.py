"""A preview on one data directory: the newest snapshot, the catalog's meter, and the zones of its customers."""

from __future__ import annotations

from typing import Final

from tallystick.catalog.catalog import Catalog
from tallystick.errors import InvalidDefinition, InvalidQuestion
from tallystick.instant import EARLIEST, Instant
from tallystick.signals.preview import STEPS_MAX, TOP_MAX, Preview, PreviewQuestion, preview_signal
from tallystick.signals.signal import CUSTOMER_ZONE, Signal
from tallystick.signals.signal_definition import checked_signal

from .ledger import Ledger
from .states_view import StatesView

_PAGE: Final = 10_000


def preview_on(ledger: Ledger, signal: Signal, question: PreviewQuestion) -> Preview:
    """Return when the signal would have fired, up to now at most. Raises `InvalidDefinition`, `InvalidQuestion`, `PluginFailed`."""
    signal = checked_signal(signal)
    catalog = ledger.folds.catalog
    meter = catalog.meters.get(signal.meter)
    if meter is None or meter.archived_at is not None:
        raise InvalidDefinition("meter", f"there is no meter {signal.meter!r}: define it first")
    if not 1 <= question.limit <= STEPS_MAX:
        raise InvalidQuestion("limit", f"is not between 1 and {STEPS_MAX:,}")
    if not 0 <= question.top <= TOP_MAX:
        raise InvalidQuestion("top", f"is not between 0 and {TOP_MAX}")
    if question.start < EARLIEST:
        raise InvalidQuestion("from", "lies before 1970")
    if question.end < question.start:
        raise InvalidQuestion("to", "lies before from")
    end = Instant(max(min(question.end, ledger.clock.now()), question.start))
    asked = PreviewQuestion(start=question.start, end=end, limit=question.limit, top=question.top)
    zones = _zones(catalog) if signal.timezone == CUSTOMER_ZONE else {}
    with ledger.partials.asking():
        view = StatesView(ledger.folds.projections.view, ledger.partials)
        return preview_signal(view, meter, signal, asked, zones=zones)


def _zones(catalog: Catalog) -> dict[str, str]:
    zones: dict[str, str] = {}
    cursor: str | None = None
    while True:
        page, cursor = catalog.customers(limit=_PAGE, cursor=cursor)
        zones |= {customer.key: customer.time_zone for customer in page}
        if cursor is None:
            return zones
