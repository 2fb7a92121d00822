"""The ledger: where the chain of hashes ends, its blocks, how each hangs on the one before, whether all of it agrees; and copies of it.

A verification runs in the appliance, not here: one can leave, and come back to how far it is. `v` begins one, `x` stops it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Final

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import DataTable, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.config.failure import ConfigFailure
from tallystick_tui.connection.appliance_client import ApplianceClient, Page
from tallystick_tui.connection.failure import ApplianceFailure, Refused, Unreachable
from tallystick_tui.connection.status import LogHead, Verification
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.navigation import Section
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import harmless
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import RecordTable

from .backups import Backups
from .block import Block, block_facts, block_record, chain, columns
from .words import backups_words, verification_words

PAGE: Final = 100
_POLL_S: Final = 0.5
_DEBOUNCE_S: Final = 0.15
# A verification takes as long as the log is; the answer is read from `GET /v1/log/verification` meanwhile.
_VERIFY_TIMEOUT_S: Final = 24 * 3_600.0
_NOT_FOUND: Final = 404
_STOPPED: Final = "stopped"


class LedgerScreen(SectionScreen):
    """Head and verification to the left, blocks and the chain to the right; one below the other where it is narrow."""

    SECTION: ClassVar[Section] = Section.LEDGER
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", "Verify", tooltip="Walk the whole chain, and compare all that follows from it"),
        Binding("x", "stop", "Stop", tooltip="Stop the verification that runs", show=False),
        Binding("o", "older", "Older", tooltip="The page of blocks before"),
        Binding("n", "newer", "Newer", tooltip="The page of blocks after", show=False),
        Binding("b", "backups", "Backups", tooltip="Take a backup into a folder of this machine"),
        Binding("y", "copy_hash", "Copy hash", tooltip="Put the hash of the block into the clipboard"),
        Binding(
            "Y",
            "copy_head",
            "Copy head",
            tooltip="Put position, block and hash of the head into the clipboard",
        ),
    ]
    DEFAULT_CSS = """
    LedgerScreen #ledger { height: 1fr; layout: vertical; }
    LedgerScreen #ledger-facts { height: 7; }
    LedgerScreen #head-side { width: 1fr; height: 1fr; }
    LedgerScreen #verify-pane { width: 1fr; }
    LedgerScreen #backups-side { display: none; }
    LedgerScreen #blocks-side { height: 1fr; width: 1fr; }
    LedgerScreen .pane Static { width: 1fr; height: auto; }
    LedgerScreen DataTable { background: transparent; overflow-x: hidden; }
    LedgerScreen.-wide #ledger { layout: horizontal; }
    LedgerScreen.-wide #ledger-facts { layout: vertical; width: 64; height: 1fr; }
    LedgerScreen.-wide #head-side { height: 6; }
    LedgerScreen.-wide #backups-side { display: block; height: 2fr; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._head: LogHead | None = None
        self._verification: Verification | None = None
        self._blocks: dict[int, Block] = {}
        self._next_cursor: str | None = None
        self._cursors: list[str] = []
        self._chosen: tuple[Block, Block | None] | None = None
        self._backups = Backups(client, viewer)
        self._poll: Timer | None = None
        self._resting: Timer | None = None

    def compose_content(self) -> Iterable[Widget]:
        """Lay out the panes."""
        with Horizontal(id="ledger"):
            with Horizontal(id="ledger-facts"):
                with Vertical(id="head-side"), VerticalScroll(id="head-pane", classes="pane", can_focus=False) as pane:
                    pane.border_title = "head"
                    yield Static("", id="head", markup=False)
                with VerticalScroll(id="verify-pane", classes="pane") as pane:
                    pane.border_title = "verification"
                    yield Static("", id="verification", markup=False)
                with Vertical(id="backups-side"), VerticalScroll(classes="pane") as pane:
                    pane.border_title = "backups"
                    yield Static("", id="backups", markup=False)
            with Vertical(id="blocks-side"):
                with Vertical(id="blocks-pane", classes="pane"):
                    yield RecordTable(columns(is_wide=False), id="blocks")
                with VerticalScroll(id="block-pane", classes="pane") as pane:
                    pane.border_title = "block"
                    yield Static("", id="block", markup=False)

    # Asking

    async def load(self) -> None:
        """Ask for the head, a page of blocks, and the verification."""
        self._head = await self.client.ask("/v1/log/head", answer=LogHead)
        if self._head.block == 0:
            self.show_empty("the log is empty: the first event, or meter, begins the chain")
            return
        page = await self._ask_blocks()
        self._verification = await self.client.ask("/v1/log/verification", answer=Verification)
        await self._backups.read()
        was_shown = self.has_content
        self.show_content()
        self._show(page)
        if not was_shown:
            self.query_one("#blocks").focus()

    async def _ask_blocks(self) -> Page[Block]:
        cursor = self._cursors[-1] if self._cursors else None
        page = await self.client.ask_page("/v1/log/blocks", item=Block, limit=PAGE, cursor=cursor)
        self._blocks = {block.number: block for block in page.items}
        self._next_cursor = page.next_cursor
        return page

    def on_screen_resume(self) -> None:
        """Look how far a verification is, while this is shown."""
        if self._poll is None:
            self._poll = self.set_interval(_POLL_S, self._look)

    def on_screen_suspend(self) -> None:
        """Ask nothing while another section is shown; the verification goes on."""
        if self._poll is not None:
            self._poll.stop()
            self._poll = None

    def _look(self) -> None:
        if self._verification is not None and self._verification.running is not None:
            self.ask_verification()

    @work(exclusive=True, group="look")
    async def ask_verification(self) -> None:
        """Ask how far it is."""
        try:
            self._verification = await self.client.ask("/v1/log/verification", answer=Verification)
        except Unreachable:
            return  # the banner says it
        except ApplianceFailure as failure:
            self.say(f"could not refresh: {failure}")
            return
        self._show_verification()

    # Showing

    def _show(self, page: Page[Block]) -> None:
        head = self._head
        if head is not None:
            facts = [("position", exact(head.position)), ("block", exact(head.block)), ("hash", head.hash)]
            self.query_one("#head", Static).update(_grid(facts))
        pane = self.query_one("#blocks-pane")
        number = f" · page {len(self._cursors) + 1}" if self._cursors or page.next_cursor else ""
        pane.border_title = f"blocks, newest first{number} · {self.viewer.zone_name}"
        is_wide, table = self.has_class("-wide"), self.query_one("#blocks", RecordTable)
        table.set_columns(columns(is_wide=is_wide))
        table.show([block_record(block, self.viewer.zone, is_wide=is_wide) for block in page.items])
        self._show_verification()
        self._show_backups()
        self._choose()

    def _show_backups(self) -> None:
        words = backups_words(self._backups, self._head, self.viewer.now(), is_plain=self.viewer.is_plain)
        self.query_one("#backups", Static).update(words)
        running = self._backups.running
        # Where there is no room for the pane, this is how far it is.
        self.query_one("#head-pane").border_subtitle = "" if running is None else f"backup {running.share * 100:.0f} %"

    def _show_verification(self) -> None:
        words = verification_words(
            self._verification, self.viewer.zone, self.viewer.now(), is_plain=self.viewer.is_plain
        )
        self.query_one("#verification", Static).update(words)

    @on(DataTable.RowHighlighted, "#blocks")
    def rest_on_block(self) -> None:
        """Show the block under the cursor once it rests."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_DEBOUNCE_S, self._choose)

    def _choose(self) -> None:
        key = self.query_one("#blocks", RecordTable).chosen
        block = self._blocks.get(int(key)) if key is not None else None
        if block is None:
            return
        if self._chosen is None or self._chosen[0] != block:
            self._chosen = (block, self._blocks.get(block.number - 1))
        self._show_block()
        if self._chosen[1] is None and block.number > 1:
            self.ask_before(block)

    @work(exclusive=True, group="before")
    async def ask_before(self, block: Block) -> None:
        """Ask for the block before one that is the last of its page."""
        try:
            before = await self.client.ask(f"/v1/log/blocks/{block.number - 1}", answer=Block)
        except ApplianceFailure as failure:
            self.query_one("#block", Static).update(f"! the block before cannot be read: {failure}")
            return
        if self._chosen is not None and self._chosen[0] == block:
            self._chosen = (block, before)
            self._show_block()

    def _show_block(self) -> None:
        if self._chosen is None:
            return
        block, before = self._chosen
        self.query_one("#block-pane").border_title = f"block {exact(block.number)}"
        facts = block_facts(block, self.viewer.zone, self.viewer.now())
        if self.viewer.is_plain or not self.has_class("-wide"):
            # There is no room to draw: what matters comes first.
            shown = Group(chain(block, before, is_plain=True), _grid(facts))
        else:
            shown = Group(_grid(facts), Text(""), chain(block, before, is_plain=False))
        self.query_one("#block", Static).update(shown)

    # Doing

    def action_older(self) -> None:
        """Show the page before."""
        if self._next_cursor is None:
            self.notify("there are no older blocks", timeout=2)
            return
        self._cursors.append(self._next_cursor)
        self._turn()

    def action_newer(self) -> None:
        """Show the page after."""
        if self._cursors:
            self._cursors.pop()
            self._turn()

    def _turn(self) -> None:
        self.query_one("#blocks", RecordTable).move_cursor(row=0)
        self.reload()

    @work(exclusive=True, group="ask-for-folder")
    async def action_backups(self) -> None:
        """Ask for a folder, and take a backup into it."""
        if self._backups.running is not None:
            self.notify("a backup is being taken", timeout=3)
            return
        words = backups_words(self._backups, self._head, self.viewer.now(), is_plain=self.viewer.is_plain)
        folder = next((str(backup.folder) for backup in self._backups.taken), "")
        question = TextQuestion("Take a backup", words, value=folder, placeholder="a folder of this machine")
        answer = await self.answer_of(question)
        if answer is not None:
            self.take_backup(Path(answer))

    @work(group="backup")
    async def take_backup(self, folder: Path) -> None:
        """Take it, and say how it ended; it goes on while other sections are shown."""
        from tallystick.errors import TallystickError  # noqa: PLC0415 - with the code of backups

        self.notice = ""
        try:
            head = await self._backups.take(folder, self._show_backups)
        except (ApplianceFailure, TallystickError, ConfigFailure, OSError) as failure:
            self.notice = f"no backup: {harmless(str(failure))}"
            self.say(self.notice)
        else:
            self.notify(f"the backup has all up to position {exact(head.position)}", markup=False)
        self._show_backups()

    def action_copy_hash(self) -> None:
        """Copy the hash of the block under the cursor."""
        if self._chosen is not None:
            app_of(self).copy_to_clipboard(self._chosen[0].hash)
            self.notify(f"hash of block {exact(self._chosen[0].number)} copied", timeout=2)

    def action_copy_head(self) -> None:
        """Copy the head, to be kept elsewhere."""
        if self._head is not None:
            app_of(self).copy_to_clipboard(msgspec.json.encode(self._head).decode())
            self.notify("the head is copied: keep it where nobody can change it", timeout=3)

    def action_verify(self) -> None:
        """Begin a verification, unless one runs."""
        if self._verification is not None and self._verification.running is not None:
            self.notify("a verification runs already; x stops it", timeout=3)
            return
        self.verify()

    @work(exclusive=True, group="verify")
    async def verify(self) -> None:
        """Have the appliance verify, and show how it ended; whoever leaves comes back to how far it is."""
        self.query_one("#verification", Static).update("beginning …")
        self.set_timer(_POLL_S / 2, self.ask_verification)
        self.notice = ""
        try:
            await self.client.call("POST", "/v1/log/verify", timeout_s=_VERIFY_TIMEOUT_S)
        except Unreachable:
            return  # the banner says it; what became of it is asked for when the appliance is back
        except Refused as refusal:
            if refusal.code != _STOPPED:
                self.notice = f"not verified: {refusal}"
                self.say(self.notice)
        self.ask_verification()

    @work(exclusive=True, group="stop")
    async def action_stop(self) -> None:
        """Stop the verification that runs, if that is meant."""
        if self._verification is None or self._verification.running is None:
            self.notify("no verification runs", timeout=2)
            return
        words = "What it found so far is not kept. Nothing else is touched."
        if not await self.answer_of(Confirmation("Stop the verification?", words, does="Stop")):
            return
        try:
            await self.client.call("DELETE", "/v1/log/verification")
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:  # it came to its end meanwhile
                self.notice = f"not stopped: {refusal}"
                self.say(self.notice)
        except Unreachable:
            return  # the banner says it
        self.ask_verification()


def _grid(facts: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=9, style="dim", no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for name, value in facts:
        grid.add_row(Text(name), Text(value))
    return grid
