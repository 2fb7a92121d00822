"""A dashboard driven by its keys, against a real appliance whose hour stands still."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.viewer import Viewer
from tests.appliance import Appliance
from tests.tui.fixed_serve import NOW
from tests.tui.sample import fill

FIXED_COMMAND = (sys.executable, "-m", "tests.tui.fixed_serve")
_NUMBERS = count(1)


def fixed_now() -> datetime:
    return datetime.fromisoformat(NOW).astimezone(UTC)


async def until(is_so: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait until something is so, looking after each turn of the event loop that took some time."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - what is on a screen has no event of its own
            await asyncio.sleep(0.02)


def notices(app: DashboardApp) -> list[str]:
    """Return what the app has told in passing, newest last."""
    return [notice.message for notice in app._notifications]  # pyright: ignore[reportPrivateUsage] - there is no other way to them


def dashboard(appliance: Appliance, *, is_plain: bool = False, api_key: str | None = None) -> DashboardApp:
    """Return a dashboard of an appliance, for a viewer in Berlin at the appliance's hour."""
    viewer = Viewer(zone=ZoneInfo("Europe/Berlin"), now=fixed_now, is_plain=is_plain)
    return DashboardApp(ApplianceClient(appliance.url, api_key or appliance.admin_key), viewer=viewer, name="test")


@pytest.fixture
def start_fixed(tmp_path: Path) -> Iterator[Callable[..., Appliance]]:
    """Start appliances at a fixed hour, which end with the test."""
    with ExitStack() as stack:

        def start(**settings: object) -> Appliance:
            directory = tmp_path / f"appliance-{next(_NUMBERS)}"
            environment = {"PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)}
            return stack.enter_context(
                Appliance(directory, settings=settings, command=FIXED_COMMAND, environment=environment)
            )

        yield start


@pytest.fixture
def fixed(start_fixed: Callable[..., Appliance]) -> Appliance:
    """One such appliance, empty."""
    return start_fixed()


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One such appliance with a fortnight of usage, for tests that only look; whoever changes something starts their own."""
    directory = tmp_path_factory.mktemp("sampled")
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parent.parent.parent)}
    with Appliance(directory, command=FIXED_COMMAND, environment=environment) as appliance:
        fill(appliance)
        yield appliance
