"""A config folder and a keyring for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from tallystick_tui.config.connections import Connections
from tests.tui.config.fake_keyring import FakeKeyring


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """Leave no test with the keyring of the machine, nor with that of another test."""
    keyring.set_keyring(NoKeyring())
    yield
    keyring.set_keyring(NoKeyring())


@pytest.fixture
def ring() -> FakeKeyring:
    ring = FakeKeyring()
    keyring.set_keyring(ring)
    return ring


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def connections(folder: Path, said: list[str]) -> Connections:
    return Connections(folder, say=said.append)
