"""Each picture: how large, in which theme, and what somebody did before it was taken."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.status import Counts, Status
from tallystick_tui.navigation import ToCustomer, ToExplorer
from tallystick_tui.screens.customers.customer_page import CustomerPage
from tallystick_tui.screens.events.event_pane import EventPane
from tallystick_tui.screens.events.events_screen import EventsScreen
from tallystick_tui.screens.explorer.explorer_screen import ExplorerScreen
from tallystick_tui.screens.ledger.ledger_screen import LedgerScreen
from tallystick_tui.screens.meters.meter_form import MeterForm
from tallystick_tui.screens.meters.meters_screen import MetersScreen
from tallystick_tui.screens.overview.overview_screen import OverviewScreen
from tallystick_tui.screens.overview.rates import RateHistory
from tallystick_tui.screens.quarantine.quarantine_screen import QuarantineScreen
from tallystick_tui.screens.settings.settings_screen import SettingsScreen
from tallystick_tui.screens.signals.signal_form import SignalForm
from tallystick_tui.screens.signals.signals_screen import SignalsScreen
from tallystick_tui.widgets.form_field import FormField, TextField
from tallystick_tui.widgets.record_table import RecordTable
from tests.tui.conftest import fixed_now, until

AnyPilot = Pilot[Any]  # Any: what an app returns
_GRAPH_S = 120


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture; `name` is its file's without the ending."""

    name: str
    steps: Callable[[DashboardApp, AnyPilot], Awaitable[None]]
    theme: str | None = None
    size: tuple[int, int] = (140, 36)
    # Whether two runs give the same bytes. What shows the head of the log does not: signals write their steps beside other changes, and
    # the hash follows the order.
    is_steady: bool = True


def text(app: DashboardApp, selector: str) -> str:
    """Return what a part of the screen shows, as text."""
    console = Console(width=200, no_color=True, highlight=False)
    with console.capture() as captured:
        for each in app.screen.query(selector).results(Static):
            console.print(cast("Any", each.content))  # Any: whatever rich can draw
    return captured.get()


async def drawn(app: DashboardApp, pilot: AnyPilot) -> None:
    """Wait for the plot, hold cursors still, and let everything find its place."""
    await until(lambda: len(app.screen.query("PlotWidget")) > 0)
    await still(app, pilot)


async def still(app: DashboardApp, pilot: AnyPilot) -> None:
    for line in app.screen.query(Input):
        line.cursor_blink = False
    await pilot.pause()
    await until(lambda: not any(_has_widths_to_find(table) for table in app.screen.query(RecordTable)))
    await pilot.pause()


def _has_widths_to_find(table: RecordTable) -> bool:
    """Whether columns are not as wide as their cells yet: Textual finds widths once a table is idle."""
    return table._require_update_dimensions or bool(table._updated_cells)  # pyright: ignore[reportPrivateUsage] - nothing public says so


async def overview(app: DashboardApp, pilot: AnyPilot) -> None:
    await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
    screen = cast("OverviewScreen", app.screen)

    def cells(table: str) -> list[str]:
        rows = screen.query_one(table, RecordTable)
        return [str(cell) for row in range(rows.row_count) for cell in rows.get_row_at(row)]

    for table in ("#meters", "#customers", "#signals"):
        await until(lambda table=table: cells(table) != [] and not any("…" in cell for cell in cells(table)))
    meters = screen.query_one("#meters", RecordTable)
    meters.move_cursor(row=meters.get_row_index("tokens"))
    await until(lambda: "tokens" in str(screen.query_one("#customers-pane").border_title))
    screen._history = arrivals((await app.client.ask("/v1/status", answer=Status)).since_start)  # pyright: ignore[reportPrivateUsage] - what two minutes of watching would have left there
    await screen.poll().wait()
    await drawn(app, pilot)


def arrivals(counts: Counts) -> RateHistory:
    """Return two minutes in which all that was counted came in, in waves."""
    # Ticks ahead of the loop's own: answers that come meanwhile are not taken in. Whole ones, so that rates are the same to the last bit.
    history, ticks_s = RateHistory(), int(asyncio.get_running_loop().time()) + 3600
    shares = [2 + math.sin(second / 9) + 0.5 * math.sin(second / 2.3) for second in range(_GRAPH_S)]
    done, passed = 0.0, fixed_now().timestamp() - _GRAPH_S
    for second, share in enumerate(shares, start=1):
        done += share / sum(shares)
        so_far = msgspec.structs.replace(
            counts,
            accepted=round(counts.accepted * done),
            duplicates=round(counts.duplicates * max(done * 4 - 3, 0)),
            conflicts=counts.conflicts,
            rejected=counts.rejected,
        )
        history.add(so_far, at_s=passed + second, ticks_s=ticks_s + second)
    return history


async def asked(app: DashboardApp, question: ToExplorer) -> ExplorerScreen:
    await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
    app.go_to(question)
    await until(lambda: isinstance(app.screen, ExplorerScreen))
    screen = cast("ExplorerScreen", app.screen)
    await answered(screen)
    return screen


async def answered(screen: ExplorerScreen) -> None:
    await until(lambda: screen.shown is not None and screen.shown.question == screen.question)


async def explorer_table(app: DashboardApp, pilot: AnyPilot) -> None:
    screen = await asked(app, ToExplorer(meter="tokens", group_by=("customer", "region")))
    await pilot.press("t")
    await answered(screen)
    await pilot.press("t")
    await answered(screen)
    await still(app, pilot)


async def explorer_graph(app: DashboardApp, pilot: AnyPilot) -> None:
    screen = await asked(app, ToExplorer(meter="tokens", group_by=("region",), window="day"))
    await pilot.press("k", "k", "t")
    await answered(screen)
    await drawn(app, pilot)


async def events(app: DashboardApp, pilot: AnyPilot) -> None:
    await pilot.press("3")
    await until(lambda: isinstance(app.screen, EventsScreen) and app.screen.has_content)
    await until(lambda: len(list(app.screen.query(RecordTable))) > 0)
    await until(lambda: app.screen.query(RecordTable).first().row_count >= 20)  # what can be seen, while it moves
    await pilot.press("down", "down", "down", "down")
    await until(lambda: app.screen.query(RecordTable).first().row_count == 100)  # it holds still, with the whole page
    pane = app.screen.query_one(EventPane)
    await until(lambda: pane.event is not None and pane.event.id == "globex-0-1" and pane.event.block is not None)
    await still(app, pilot)


async def typed(app: DashboardApp, pilot: AnyPilot, name: str, words: str) -> None:
    line = next(each for each in app.screen.query(FormField) if each.field_name == name)
    assert isinstance(line, TextField)
    line.value = ""
    line.focus_control()
    await pilot.press(*({" ": "space", ".": "full_stop", "_": "underscore", "-": "minus"}.get(w, w) for w in words))
    if getattr(line.line, "is_open", False):
        await pilot.press("escape")


async def meter_form(app: DashboardApp, pilot: AnyPilot) -> None:
    await pilot.press("4")
    await until(lambda: isinstance(app.screen, MetersScreen) and app.screen.has_content)
    await pilot.press("n")
    await until(lambda: isinstance(app.screen, MeterForm) and app.screen.focused is not None)
    texts = {
        "key": "tokens-by-model",
        "name": "Tokens by model",
        "event_type": "completion",
        "field": "properties.tokens",
        "unit": "token",
        "dimensions": "model, region",
    }
    for name, words in texts.items():
        await typed(app, pilot, name, words)
    await until(lambda: "token" in text(app, "#preview-figure"))
    await drawn(app, pilot)


async def customer(app: DashboardApp, pilot: AnyPilot) -> None:
    await until(lambda: isinstance(app.screen, OverviewScreen) and app.screen.has_content)
    app.go_to(ToCustomer(key="acme"))
    await until(lambda: isinstance(app.screen, CustomerPage) and app.screen.has_content)
    await until(lambda: app.screen.query_one("#customer-fired", RecordTable).row_count > 0)
    await drawn(app, pilot)


async def signals(app: DashboardApp, pilot: AnyPilot) -> None:
    await pilot.press("6")
    await until(lambda: isinstance(app.screen, SignalsScreen) and app.screen.has_content)
    await until(lambda: cast("SignalsScreen", app.screen).present.query_one(RecordTable).row_count > 0)
    await still(app, pilot)


async def signal_form(app: DashboardApp, pilot: AnyPilot) -> None:
    await signals(app, pilot)
    await pilot.press("s")
    await until(lambda: cast("SignalsScreen", app.screen).present.query_one(RecordTable).row_count > 1)
    await pilot.press("e")
    await until(lambda: isinstance(app.screen, SignalForm) and len(app.screen.query(FormField)) > 0)
    # What is offered in the fields changes them, and each change asks anew.
    await until(lambda: "would have fired" in text(app, "#preview-counts"))
    await drawn(app, pilot)
    await until(lambda: all(worker.is_finished for worker in app.workers if worker.group == "preview"))
    await until(lambda: "would have fired" in text(app, "#preview-counts"))
    await drawn(app, pilot)


async def quarantine(app: DashboardApp, pilot: AnyPilot) -> None:
    await pilot.press("7")
    await until(lambda: isinstance(app.screen, QuarantineScreen) and app.screen.has_content)
    await until(lambda: app.screen.query_one("#entries", RecordTable).row_count > 0)
    await pilot.press("down", "down", "down")
    await until(lambda: text(app, "#event").strip() != "")
    await still(app, pilot)


async def ledger(app: DashboardApp, pilot: AnyPilot) -> None:
    await pilot.press("8")
    await until(lambda: isinstance(app.screen, LedgerScreen) and app.screen.has_content)
    await pilot.press("v")
    await until(lambda: "agrees" in text(app, "#verification") or "✓" in text(app, "#verification"))
    blocks = app.screen.query_one("#blocks", RecordTable)
    await pilot.press("down")
    await until(lambda: str(app.screen.query_one("#block-pane").border_title) == f"block {blocks.chosen}")
    await until(lambda: "✓ its previous hash" in text(app, "#block"))
    await still(app, pilot)


async def settings(app: DashboardApp, pilot: AnyPilot) -> None:
    await pilot.press("9")
    await until(lambda: isinstance(app.screen, SettingsScreen) and app.screen.has_content)
    await still(app, pilot)


SCENES = (
    Scene("overview", overview, is_steady=False),
    Scene("overview-light", overview, theme="tallystick-light", is_steady=False),
    Scene("explorer-table", explorer_table),
    Scene("explorer-graph", explorer_graph),
    Scene("events", events, size=(160, 40)),
    Scene("meter-form", meter_form),
    Scene("customer", customer, size=(160, 40)),
    Scene("signals", signals),
    Scene("signal-form", signal_form),
    Scene("quarantine", quarantine),
    Scene("ledger", ledger, is_steady=False),
    Scene("settings", settings),
)
