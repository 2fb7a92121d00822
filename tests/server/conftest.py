"""Appliances for the tests of the server: one that many tests share, and as many of their own as they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.appliance import Appliance

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Start an appliance for the whole session; a test that uses it names its own customers, types and meters."""
    with Appliance(tmp_path_factory.mktemp("appliance")) as running:
        yield running


@pytest.fixture
def client(appliance: Appliance) -> httpx.Client:
    """Return a client of the shared appliance with the admin key."""
    return appliance.client


@pytest.fixture
def name() -> str:
    """Return a name that no other test has: for customers, event types and meters on the shared appliance."""
    return f"n{next(_NUMBERS)}"


@pytest.fixture
def start_appliance(tmp_path: Path) -> Iterator[Callable[..., Appliance]]:
    """Start appliances with settings of their own, which end with the test."""
    with ExitStack() as stack:

        def start(**settings: object) -> Appliance:
            directory = tmp_path / f"appliance-{next(_NUMBERS)}"
            return stack.enter_context(Appliance(directory, settings=settings))

        yield start
