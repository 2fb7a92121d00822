"""What the cards of the overview say, as facts and rows: pure functions of answers and the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from rich.text import Text

from tallystick_tui.connection.fired_signal import FiredSignals
from tallystick_tui.connection.status import Status, Verification
from tallystick_tui.connection.usage_answer import UsageTotal
from tallystick_tui.texts.figures import NOTHING, bytes_of, change, exact, rate, short
from tallystick_tui.texts.harmless import cut
from tallystick_tui.texts.moments import age, parsed
from tallystick_tui.texts.sparkline import sparkline
from tallystick_tui.widgets.facts import Fact
from tallystick_tui.widgets.record_table import Record

from .rates import Rates
from .today import MeterToday

DISK_LOW_BYTES: Final = 1 << 30
_FIGURE_CELLS: Final = 15
_BAR_CELLS: Final = 12
_NAME_CELLS: Final = 24


class Meter(msgspec.Struct, frozen=True):
    """What the overview needs to know of a meter."""

    key: str
    unit: str | None = None


def counter_facts(status: Status, rates: Rates | None, fired_count: int | None) -> list[Fact]:
    """Return what was counted since the start, each with its rate now; and how many signals are fired (None: not known)."""
    counts = status.since_start
    shown = (
        ("accepted", counts.accepted, rates.accepted if rates else None),
        ("duplicates", counts.duplicates, rates.duplicates if rates else None),
        ("conflicts", counts.conflicts, rates.conflicts if rates else None),
        ("rejected", counts.rejected, rates.rejected if rates else None),
    )
    facts = [
        Fact(
            name,
            Text(exact(count), style="bold" if name == "accepted" else ""),
            NOTHING if per_s is None else rate(per_s),
        )
        for name, count, per_s in shown
    ]
    return [*facts, Fact("in the log", exact(status.events), "events"), Fact("signals", exact(fired_count), "fired")]


def trouble(status: Status) -> str:
    """Return in one line what an operator must see at once; empty if all is well."""
    if not status.ready:
        return f"takes no writes: {status.reason}"
    if status.storage.disk_free_bytes < DISK_LOW_BYTES:
        return f"the disk has {bytes_of(status.storage.disk_free_bytes)} left"
    return ""


def health_facts(status: Status, now: datetime) -> list[Fact]:
    """Return how it is: whether it writes, what waits, what room there is, where the log ends, what was verified."""
    counts, storage = status.since_start, status.storage
    commit = f"{counts.commit_seconds / counts.commits * 1000:,.1f} ms a commit" if counts.commits else "no commit yet"
    disk = f"{bytes_of(storage.disk_free_bytes)} free"
    is_low = storage.disk_free_bytes < DISK_LOW_BYTES
    facts = [
        Fact(
            "state",
            Text("● takes writes" if status.ready else f"! {status.reason}", style="" if status.ready else "bold"),
        ),
        Fact("lag", f"{exact(status.queued_events)} wait · {commit}"),
        Fact("disk", Text(f"! {disk}", style="bold") if is_low else disk),
        Fact("head", f"{exact(status.head.position)} · block {exact(status.head.block)} · {status.head.hash[:8]}"),
        Fact("verified", verified(status.verification, now)),
        Fact("up", f"{age(parsed(status.started_at), now).removesuffix(' ago')} · version {status.version}"),
        Fact(
            "columns",
            f"{exact(status.storage.segments)} files · {bytes_of(storage.segments_bytes)} · {exact(status.tail_events)} events in memory",
        ),
    ]
    if status.deliveries_waiting or status.channels_disabled:
        facts.append(
            Fact(
                "messages",
                f"{exact(status.deliveries_waiting)} wait · {exact(status.channels_disabled)} channels disabled",
            )
        )
    return facts


def verified(verification: Verification, now: datetime) -> str:
    """Return in words what runs, or how the last one ended."""
    running, last = verification.running, verification.last
    if running is not None:
        return f"running, {running.done * 100 // max(running.total, 1)} %"
    if last is None:
        return "not since the start · 8, then v"
    when = age(parsed(last.ended_at), now)
    if last.outcome == "agrees":
        return f"✓ agrees, {when}"
    return f"! {last.outcome}, {when} · 8 says more"


def figure_cell(figure: Decimal | None, unit: str | None) -> str:
    """Return every digit with the unit where that fits, else about three digits."""
    whole = exact(figure, unit)
    if len(whole) <= _FIGURE_CELLS:
        return whole
    alone = exact(figure)
    return alone if len(alone) <= _FIGURE_CELLS else f"~{short(figure)}"


def meter_record(meter: Meter, found: MeterToday | None, *, hours: int, colour: str) -> Record:
    """Return a meter's row; `hours` 0 leaves the trend out."""
    name = cut(meter.key, _NAME_CELLS)
    if found is None:
        return Record(meter.key, (name, "…", "", "", *([""] if hours else [])))
    if found.refusal:
        return Record(meter.key, (name, "!", "", "", *([cut(found.refusal, hours)] if hours else [])))
    trend = [Text(sparkline(found.hours[-hours:]), style=colour)] if hours else []
    cells = (figure_cell(found.today, meter.unit), figure_cell(found.yesterday, meter.unit))
    return Record(meter.key, (name, *cells, change(found.yesterday, found.today), *trend))


def customer_records(totals: Sequence[UsageTotal], unit: str | None, *, with_bars: bool, colour: str) -> list[Record]:
    """Return the rows of the top customers, the first the longest bar."""
    known = [total for total in totals if total.group.get("customer") is not None]
    # The appliance chooses the largest and answers them by name.
    known.sort(key=lambda total: (total.value is None, -(total.value or Decimal(0))))
    top = max((float(total.value) for total in known if total.value is not None), default=0.0)
    records: list[Record] = []
    for total in known:
        key = str(total.group["customer"])
        cells: list[str | Text] = [cut(key, _NAME_CELLS), figure_cell(total.value, unit)]
        if with_bars:
            share = float(total.value or 0) / top if top > 0 else 0.0
            cells.append(Text("█" * max(round(share * _BAR_CELLS), 1 if share > 0 else 0), style=colour))
        records.append(Record(key, tuple(cells)))
    return records


def fired_records(page: FiredSignals, now: datetime) -> dict[Record, str]:
    """Return the rows of what is fired, each with the key of its signal."""
    rows: dict[Record, str] = {}
    for number, each in enumerate(page.items):
        cells = (
            "▲ fired" if each.state == "fired" else f"z {each.state}",
            cut(each.name or each.signal, _NAME_CELLS),
            cut(each.customer or "all together", _NAME_CELLS),
            f"{figure_cell(each.figure, None)} of {figure_cell(each.threshold, None)}"
            if each.threshold
            else figure_cell(each.figure, None),
            age(parsed(each.since), now),
        )
        rows[Record(f"{number}", cells)] = each.signal
    return rows


def refusals(found: Mapping[str, MeterToday]) -> str:
    """Return in one line what could not be answered; empty if everything could."""
    refused = [(key, each.refusal) for key, each in found.items() if each.refusal]
    return f"{cut(refused[0][0], _NAME_CELLS)}: {refused[0][1]}" if refused else ""
