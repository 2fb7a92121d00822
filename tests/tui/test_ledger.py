"""The ledger: the chain of hashes, verification with its progress, and backups."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tallystick.backup.backup_folder import BackupFolder
from tallystick_tui.app import DashboardApp
from tallystick_tui.config.view_state import ViewStateFile
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.status import (
    EndedVerification,
    LogHead,
    RunningVerification,
    Verification,
    VerifyReport,
)
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.screens.ledger.block import Block, chain
from tallystick_tui.screens.ledger.ledger_screen import LedgerScreen
from tallystick_tui.screens.ledger.words import verification_words
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.state_message import StateMessage
from tests.appliance import Appliance

from .conftest import dashboard, fixed_now, until
from .test_overview import SnapCompare

AnyPilot = Pilot[Any]  # Any: what an app returns
NARROW, WIDE = (80, 24), (160, 48)
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def screen(app: DashboardApp) -> LedgerScreen:
    assert isinstance(app.screen, LedgerScreen)
    return app.screen


def text(app: DashboardApp, name: str) -> str:
    """Return what a pane shows, as text."""
    console = Console(width=200, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(cast("Any", screen(app).query_one(name, Static).content))  # Any: whatever rich can draw
    return captured.get()


def failure(app: DashboardApp) -> str:
    return str(screen(app).query_one(FailureLine).render())


def send(appliance: Appliance, event_id: str) -> None:
    event = {"id": event_id, "type": "call", "customer": "acme"}
    appliance.client.post("/v1/events", json=event).raise_for_status()


async def opened(pilot: AnyPilot) -> DashboardApp:
    app = cast("DashboardApp", pilot.app)
    await pilot.press("8")
    await until(lambda: isinstance(app.screen, LedgerScreen) and app.screen.has_content)
    return app


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
def test_the_head_and_the_blocks_are_those_of_the_appliance(sampled: Appliance, size: tuple[int, int]) -> None:
    head = sampled.client.get("/v1/log/head").json()

    async def run() -> None:
        async with dashboard(sampled).run_test(size=size) as pilot:
            app = await opened(pilot)
            assert head["hash"] in text(app, "#head").replace("\n", "")
            table = screen(app).query_one("#blocks", RecordTable)
            assert table.row_count == head["block"]
            assert str(table.get_row_at(0)[0]) == str(head["block"])
            await until(lambda: f"the hash of block {head['block'] - 1}" in text(app, "#block"))

    asyncio.run(run())


def test_each_block_hangs_on_the_one_before_down_to_the_first(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled).run_test(size=WIDE) as pilot:
            app = await opened(pilot)
            await pilot.press("ctrl+end")
            await until(lambda: "nothing is before it" in text(app, "#block"))
            await pilot.press("up")
            await until(lambda: "✓ its previous hash is the hash of block 1" in text(app, "#block"))

    asyncio.run(run())


def test_blocks_are_read_page_by_page_and_the_chain_goes_on_between_pages(fixed: Appliance) -> None:
    for number in range(105):
        event = {"id": str(number), "type": "t", "customer": "c", "time": "2026-11-25T09:00:00Z"}
        fixed.client.post("/v1/events", json=event).raise_for_status()
    head = fixed.client.get("/v1/log/head").json()["block"]

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            table = screen(app).query_one("#blocks", RecordTable)
            assert table.row_count == 100
            await pilot.press("ctrl+end")
            await until(lambda: f"the hash of block {head - 100}" in text(app, "#block"))
            await pilot.press("o")
            await until(lambda: table.row_count == head - 100)
            assert "page 2" in str(screen(app).query_one("#blocks-pane").border_title)
            await pilot.press("n")
            await until(lambda: table.row_count == 100)

    asyncio.run(run())


def test_verifying_says_that_everything_agrees(fixed: Appliance) -> None:
    fixed.client.post("/v1/events", json={"id": "1", "type": "t", "customer": "c"})

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            assert "not verified since" in text(app, "#verification")
            await pilot.press("x")  # nothing runs: nothing is stopped
            await pilot.press("v")
            await until(lambda: "✓ everything agrees" in text(app, "#verification"))
            assert "1 event in" in text(app, "#verification")

    asyncio.run(run())


def test_a_verification_is_watched_left_found_again_and_stopped(fixed: Appliance) -> None:
    for batch in range(40):
        events = [
            {"id": f"{batch}-{number}", "type": "t", "customer": "c", "time": "2026-11-25T09:00:00Z"}
            for number in range(10_000)
        ]
        fixed.client.post("/v1/events", json=events).raise_for_status()

    async def run() -> None:
        async with dashboard(fixed).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await pilot.press("v")
            # A machine may be so fast that it came to its end before anybody looked.
            await until(lambda: any(word in text(app, "#verification") for word in ("walking the chain", "agrees")))
            await pilot.press("1", "8")
            await until(lambda: isinstance(app.screen, LedgerScreen))
            assert "position" in text(app, "#verification") or "agrees" in text(app, "#verification")
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, Confirmation) or "agrees" in text(app, "#verification"))
            if isinstance(app.screen, Confirmation):  # a machine so fast that it came to its end has nothing to stop
                await pilot.press("y")
                await until(lambda: isinstance(app.screen, LedgerScreen))
                await until(
                    lambda: any(word in text(app, "#verification") for word in ("stopped before", "everything agrees"))
                )

    asyncio.run(run())


def test_a_key_that_may_not_verify_is_said_in_words(fixed: Appliance) -> None:
    fixed.client.post("/v1/events", json={"id": "1", "type": "t", "customer": "c"})

    async def run() -> None:
        app = DashboardApp(ApplianceClient(fixed.url, fixed.new_key("read")))
        async with app.run_test(size=NARROW) as pilot:
            await opened(pilot)
            await pilot.press("v")
            await until(lambda: "lacks the scope" in str(screen(app).query_one(FailureLine).render()))
            await until(lambda: "not verified since" in text(app, "#verification"))

    asyncio.run(run())


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
def test_a_backup_is_taken_into_a_folder_and_again_what_came_since(
    fixed: Appliance, tmp_path: Path, size: tuple[int, int]
) -> None:
    folder = tmp_path / "backup"
    send(fixed, "first")

    async def run() -> None:
        kept = ViewStateFile(tmp_path / "config", say=lambda _line: None)
        viewer = Viewer(zone=BERLIN, now=fixed_now, kept=kept)
        app = DashboardApp(ApplianceClient(fixed.url, fixed.admin_key), viewer=viewer)
        async with app.run_test(size=size) as pilot:
            await opened(pilot)
            assert "no backup was taken from here yet" in text(app, "#backups")
            await pilot.press("b")
            await until(lambda: isinstance(app.screen, TextQuestion))
            app.screen.query_one(Input).value = str(folder)
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, LedgerScreen) and "all there is" in text(app, "#backups"))
            assert (folder / "HEAD").exists()
            await asyncio.to_thread(send, fixed, "second")
            await pilot.press("r")
            await until(lambda: "1 behind" in text(app, "#backups"))
            # The folder stands there already.
            await pilot.press("b")
            await until(lambda: isinstance(app.screen, TextQuestion))
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, LedgerScreen) and "all there is" in text(app, "#backups"))
        # And it is known at the next start.
        app = DashboardApp(ApplianceClient(fixed.url, fixed.admin_key), viewer=viewer)
        async with app.run_test(size=size) as pilot:
            await opened(pilot)
            await until(lambda: "all there is" in text(app, "#backups"))
            assert str(folder) in text(app, "#backups")

    asyncio.run(run())
    head = fixed.client.get("/v1/log/head").json()
    assert BackupFolder.opened(folder).head.position == head["position"]


def test_why_no_backup_could_be_taken_is_said_and_nothing_is_kept(fixed: Appliance, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").touch()
    send(fixed, "first")

    async def run() -> None:
        for key, said in ((fixed.admin_key, "letter.txt"), (fixed.new_key("read"), "lacks the scope")):
            app = DashboardApp(ApplianceClient(fixed.url, key))
            async with app.run_test(size=NARROW) as pilot:
                await opened(pilot)
                await pilot.press("b")
                await until(lambda app=app: isinstance(app.screen, TextQuestion))
                app.screen.query_one(Input).value = str(full if said == "letter.txt" else tmp_path / "new")
                await pilot.press("enter")
                await until(lambda app=app, said=said: isinstance(app.screen, LedgerScreen) and said in failure(app))
                assert "no backup was taken" in text(app, "#backups")

    asyncio.run(run())


def test_hashes_are_copied(sampled: Appliance) -> None:
    head = sampled.client.get("/v1/log/head").json()

    async def run() -> None:
        async with dashboard(sampled).run_test(size=NARROW) as pilot:
            app = await opened(pilot)
            await until(lambda: "previous hash" in text(app, "#block"))
            await pilot.press("y")
            await until(lambda: app.clipboard == head["hash"])
            await pilot.press("Y")
            await until(lambda: f'"block":{head["block"]}' in app.clipboard)

    asyncio.run(run())


def test_plain_mode_says_the_link_and_draws_nothing(sampled: Appliance) -> None:
    async def run() -> None:
        async with dashboard(sampled, is_plain=True).run_test(size=WIDE) as pilot:
            app = await opened(pilot)
            await until(lambda: "✓ its previous hash" in text(app, "#block"))
            assert "┌" not in text(app, "#block")

    asyncio.run(run())


def block(number: int, *, previous: str, own: str) -> Block:
    return Block(
        number=number,
        kind="events",
        position=number,
        record_count=1,
        written_at="2026-11-25T09:00:00Z",
        payload_bytes=1,
        previous_hash=previous,
        hash=own,
    )


def test_a_broken_link_is_said_and_not_only_drawn() -> None:
    before, after = block(1, previous="0" * 64, own="a" * 64), block(2, previous="b" * 64, own="c" * 64)
    for is_plain in (True, False):
        assert "the chain is broken here" in chain(after, before, is_plain=is_plain).plain
        assert "nothing is before it" in chain(before, None, is_plain=is_plain).plain
    assert "asking" in chain(after, None, is_plain=False).plain
    assert (
        "! the first block names one before it" in chain(block(1, previous="a" * 64, own=""), None, is_plain=True).plain
    )


def ended(outcome: str, report: VerifyReport | None) -> Verification:
    return Verification(
        None,
        EndedVerification("2026-11-25T09:58:00Z", "2026-11-25T09:59:00Z", outcome, "it was stopped", report),
    )


def test_the_first_bad_position_is_said_in_words() -> None:
    problems = [f"at position {number}: segments differ" for number in range(42, 72)]
    report = VerifyReport(
        ok=False, head=LogHead(99, 9, "ab"), blocks=9, events=90, first_bad_position=42, problems=problems
    )
    words = verification_words(ended("differs", report), BERLIN, NOW, is_plain=False)
    assert "! the first bad position is 42: all before it agrees" in words
    assert "at position 42" in words
    assert "and 10 more" in words
    assert "1 min ago" in words


def test_progress_is_said_with_and_without_a_bar() -> None:
    running = Verification(RunningVerification("2026-11-25T09:59:48Z", "walk", 250, 1_000), None)
    assert "█" in verification_words(running, BERLIN, NOW, is_plain=False)
    words = verification_words(running, BERLIN, NOW, is_plain=True)
    assert "█" not in words
    assert "25 %" in words
    assert "position 250 of 1,000" in words
    assert "12 s ago" in words
    assert "! stopped: it was stopped" in verification_words(ended("stopped", None), BERLIN, NOW, is_plain=True)


def test_an_empty_log_says_what_begins_it(fixed: Appliance) -> None:
    head = fixed.client.get("/v1/log/head").json()

    async def run() -> None:
        app = dashboard(fixed)
        async with app.run_test(size=NARROW) as pilot:
            await pilot.press("8")
            await until(lambda: isinstance(app.screen, LedgerScreen))
            # Its first key is written when an appliance begins, so that there is a block already.
            await until(lambda: app.screen.query_one("#content").display == (head["block"] > 0))
            if not head["block"]:
                assert "begins the chain" in str(app.screen.query_one(StateMessage).render())

    asyncio.run(run())


async def settled(pilot: AnyPilot) -> None:
    app = await opened(pilot)
    await pilot.press("down")
    await until(lambda: "block 18" in str(screen(app).query_one("#block-pane").border_title))
    await until(lambda: "✓ its previous hash" in text(app, "#block"))
    await pilot.pause()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
def test_a_picture_of_the_ledger(sampled: Appliance, snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(dashboard(sampled), terminal_size=size, run_before=settled)
