"""What is still asked when its screen goes is given up before the screen's widgets go, one by one."""

from __future__ import annotations

import asyncio

import pytest
from textual import work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Label, Static

from tests.appliance import Appliance

from .conftest import dashboard, until


class _Quick(Label):
    async def on_unmount(self) -> None:
        next(each for each in self.ancestors if isinstance(each, _Slow)).is_answered.set()


class _Late(Static):
    async def on_unmount(self) -> None:
        # As a large table does, it needs some turns of the loop to go; its screen waits for it.
        for _ in range(20):
            await asyncio.sleep(0)


class _Slow(Screen[None]):
    """Its question is answered in the very moment in which a part of it is gone already, and itself is not."""

    def __init__(self) -> None:
        super().__init__()
        self.is_answered, self.is_given_up = asyncio.Event(), False

    def compose(self) -> ComposeResult:
        yield _Quick("quick")
        yield _Late("late")

    def on_mount(self) -> None:
        self.ask()

    @work
    async def ask(self) -> None:
        try:
            await self.is_answered.wait()
        except asyncio.CancelledError:
            self.is_given_up = True
            raise
        for _ in range(5):
            await asyncio.sleep(0)
        self.query_one(_Quick).update("answered")


@pytest.mark.parametrize("how", ["popped", "its section anew", "the end"])
def test_an_answer_that_comes_while_its_screen_goes_is_dropped(fixed: Appliance, how: str) -> None:
    async def run() -> None:
        app, slow = dashboard(fixed), _Slow()
        async with app.run_test(size=(80, 24)) as pilot:
            await app.push_screen(slow)
            await until(lambda: len(slow.workers) > 0 and slow.query_one(_Quick).is_mounted)
            if how == "popped":
                await app.pop_screen()
            elif how == "its section anew":
                await pilot.press("1")
            if how != "the end":
                await until(lambda: not slow.is_attached)
        assert slow.is_given_up

    asyncio.run(run())
