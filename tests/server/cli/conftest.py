"""One appliance for the tests of this folder; each test uses event types and keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.appliance import Appliance
from tests.server.cli.command_line import CommandLine


@pytest.fixture(scope="session")
def cli_appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("cli-appliance")) as appliance:
        yield appliance


@pytest.fixture
def cli(cli_appliance: Appliance, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(cli_appliance, capsys)


@pytest.fixture(scope="session")
def other_appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("other-appliance")) as appliance:
        yield appliance
