"""A customer's statement of one month: each meter's figure, bound to the log; saved with the events that it is made from.

What is saved is, byte for byte, what the appliance answers, as `tallystick statement --out --events-out` does; `tallystick verify
--statement FILE --events FILE` checks it without asking anybody.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient, Page, segment
from tallystick_tui.connection.failure import ApplianceFailure, Misunderstood
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.keys_screen import KeysScreen
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.ready_screen import ReadyScreen
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import cut, harmless
from tallystick_tui.texts.moments import rfc3339
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.key_hints import KeyHints
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

_EVENTS_A_PAGE: Final = 10_000
Params = list[tuple[str, str]]


class StatedTotal(msgspec.Struct, frozen=True):
    """A meter's figure."""

    value: Decimal | None
    events: int


class StatedDefinition(msgspec.Struct, frozen=True):
    """What a meter was at the statement's position, as far as it is shown."""

    name: str
    aggregation: str
    unit: str | None = None


class StatedMeter(msgspec.Struct, frozen=True):
    """One line."""

    key: str
    version: int
    total: StatedTotal
    definition: StatedDefinition


class Statement(msgspec.Struct, frozen=True):
    """What is shown of a statement."""

    as_of: int
    block: int
    block_hash: str
    digest: str
    events: int
    merkle_root: str
    meters: list[StatedMeter]


class StatementScreen(ModalScreen[None], ReadyScreen[None]):
    """The statement of a month; left and right go to other months."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "month(-1)", "Month before", priority=True),
        Binding("right", "month(1)", "Month after", priority=True),
        Binding("w", "write", "Write to files"),
        Binding("escape", "dismiss(None)", "Close"),
        Binding("question_mark,f1", "keys", "All keys", key_display="?"),
    ]
    DEFAULT_CSS = """
    StatementScreen { background: $background; }
    StatementScreen > #statement-title { height: 1; background: $panel; text-style: bold; padding: 0 1; }
    StatementScreen RecordTable { height: 1fr; }
    StatementScreen #statement-proof { height: auto; padding: 0 1; border-top: solid $panel; }
    StatementScreen #statement-done { height: auto; padding: 0 1; color: $success; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, customer: str, zone: ZoneInfo) -> None:
        super().__init__()
        self._client, self._viewer, self._customer, self._zone = client, viewer, customer, zone
        local = viewer.now().astimezone(zone)
        self._month = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._body = b""
        self._statement: Statement | None = None

    def compose(self) -> ComposeResult:
        """Lay out figures, proof and keys."""
        yield Static(id="statement-title", markup=False)
        yield FailureLine()
        with Vertical():
            yield from self._parts()
        yield KeyHints()

    def on_mount(self) -> None:
        """Ask for the present month."""
        self._ask()

    def action_month(self, step: int) -> None:
        """Go to another month; none lies in the future."""
        month = self._following() if step > 0 else (self._month - timedelta(days=1)).replace(day=1)
        if month <= self._viewer.now():
            self._month = month
            self._ask()

    def action_keys(self) -> None:
        """List every key."""
        app_of(self).push_screen(KeysScreen(self))

    @work(exclusive=True, group="write")
    async def action_write(self) -> None:
        """Write statement and events to files, after asking where to."""
        if self._statement is None:
            return
        name = re.sub(r"[^A-Za-z0-9._-]", "_", self._customer)[:40]
        answer = await app_of(self).push_screen_wait(
            TextQuestion(
                "Write the statement",
                "To which file? The events that it is made from are written beside it, with .jsonl at the end.",
                value=f"statement-{name}-{self._month:%Y-%m}.json",
            )
        )
        if not answer:
            return
        path = _path_of(answer)
        events_path = path.with_suffix(".jsonl")
        there = [each.name for each in (path, events_path) if await asyncio.to_thread(each.exists)]
        if there and not await app_of(self).push_screen_wait(
            Confirmation("Write over it?", f"{harmless(' and '.join(there))} is there already.", does="Write")
        ):
            return
        await self._write(path, events_path, self._body, self._statement)

    def _parts(self) -> Iterable[Static | RecordTable]:
        yield RecordTable(
            [
                Column("meter", "Meter", width=20),
                Column("value", "Figure", "right", width=24),
                Column("unit", "Unit", width=9),
                Column("events", "Events", "right", width=10),
                Column("version", "v", "right", width=3),
            ],
            id="statement-meters",
        )
        yield Static(id="statement-proof", markup=False)
        yield Static(id="statement-done", markup=False)

    def _following(self) -> datetime:
        return (self._month + timedelta(days=32)).replace(day=1)

    def _range(self) -> Params:
        end = self._following()
        return [
            ("from", rfc3339(self._month.replace(tzinfo=self._zone))),
            ("to", rfc3339(end.replace(tzinfo=self._zone))),
        ]

    @work(exclusive=True, group="ask")
    async def _ask(self) -> None:
        title = f"Statement of {cut(self._customer, 30)} · {self._month:%B %Y} · {self._zone.key}"
        is_over = self._following() <= self._viewer.now()
        self.query_one("#statement-title", Static).update(title + ("" if is_over else " · not over yet"))
        self.query_one("#statement-done", Static).update("")
        self.say("")
        path = f"/v1/customers/{segment(self._customer)}/statement"
        try:
            body = await self._client.call("GET", path, params=[*self._range(), ("timezone", self._zone.key)])
            statement = _decoded(body)
        except ApplianceFailure as failure:
            self._statement = None
            self.query_one(RecordTable).show([])
            self.query_one("#statement-proof", Static).update("")
            self.say(f"no statement: {failure}")
            return
        self._body, self._statement = body, statement
        self._show(statement)

    def say(self, words: str) -> None:
        """Put a line above; an empty text takes it away."""
        self.query_one(FailureLine).say(words)

    def _show(self, statement: Statement) -> None:
        self.query_one(RecordTable).show(
            [
                Record(
                    each.key,
                    (
                        each.key,
                        exact(each.total.value),
                        each.definition.unit or "",
                        exact(each.total.events),
                        str(each.version),
                    ),
                )
                for each in statement.meters
            ]
        )
        self.query_one("#statement-proof", Static).update(
            f"{exact(statement.events)} events, as of position {exact(statement.as_of)} (block {exact(statement.block)})\n"
            f"Merkle root {statement.merkle_root}\n"
            f"digest      {statement.digest}\n"
            "w writes it with its events; `tallystick verify --statement` checks them without asking anybody"
        )

    async def _write(self, path: Path, events_path: Path, body: bytes, statement: Statement) -> None:
        done = self.query_one("#statement-done", Static)
        try:
            await asyncio.to_thread(path.write_bytes, body)
            count = await self._write_events(events_path, statement.as_of)
        except (OSError, ApplianceFailure) as failure:
            self.say(f"not written: {failure}")
        else:
            self.say("")
            done.update(
                f"wrote {harmless(str(path))} ({exact(len(body))} bytes) and {harmless(events_path.name)} ({exact(count)} events)"
            )

    async def _write_events(self, path: Path, as_of: int) -> int:
        """Write the events by position, page by page, to a file that gets its name once it is whole."""
        listed = f"/v1/customers/{segment(self._customer)}/events"
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        cursor, count = None, 0
        done = self.query_one("#statement-done", Static)
        try:
            while True:
                page: Page[msgspec.Raw] = await self._client.ask_page(
                    listed,
                    [*self._range(), ("as_of", str(as_of))],
                    item=msgspec.Raw,
                    limit=_EVENTS_A_PAGE,
                    cursor=cursor,
                )
                lines = b"".join(bytes(item) + b"\n" for item in page.items)
                await asyncio.to_thread(_append, partial, lines, is_first=cursor is None)
                count += len(page.items)
                done.update(f"writing events: {exact(count)}")
                cursor = page.next_cursor
                if cursor is None:
                    break
            await asyncio.to_thread(partial.replace, path)
        finally:
            await asyncio.to_thread(partial.unlink, missing_ok=True)
        return count


def _path_of(answer: str) -> Path:
    return Path(answer).expanduser()


def _append(path: Path, lines: bytes, *, is_first: bool) -> None:
    with path.open("wb" if is_first else "ab") as file:
        file.write(lines)


def _decoded(body: bytes) -> Statement:
    try:
        return msgspec.json.decode(body, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misunderstood(f"the answer is not one of a tallystick appliance ({error})") from error
