"""One appliance for all black-box tests: they know its address, its command line and the contract, and nothing of its inside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.appliance import Appliance

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Return an appliance that runs for the whole session."""
    with Appliance(tmp_path_factory.mktemp("contract")) as running:
        yield running


@pytest.fixture
def client(appliance: Appliance) -> httpx.Client:
    """Return a client with the admin key."""
    return appliance.client


@pytest.fixture
def unique() -> str:
    """Return a name that no other test has."""
    return f"contract-{next(_NUMBERS)}"
