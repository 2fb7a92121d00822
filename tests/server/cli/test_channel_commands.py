"""`tallystick channels` and `tallystick deliveries` on an appliance with a real receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.appliance import Appliance
from tests.server.cli.command_line import CommandLine
from tests.server.outgoing.receiver import SECRET, Receiver, answering


@pytest.fixture(scope="module")
def open_appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    directory = tmp_path_factory.mktemp("channels")
    with Appliance(directory, settings={"allowed_networks": "127.0.0.0/8"}) as appliance:
        yield appliance


@pytest.fixture
def cli(open_appliance: Appliance, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(open_appliance, capsys)


def test_a_channel_is_added_and_tried_in_one_command_and_its_new_secret_is_printed_once(cli: CommandLine) -> None:
    with Receiver() as receiver:
        assert cli("channels", "add", receiver.url, "--key", "one", "--test") == 0, cli.err
        assert "The test message arrived." in cli.out
        secrets = [line.split("\t")[1] for line in cli.out.splitlines() if line.startswith("secret\t")]
        assert secrets[0].startswith("whsec_")
        receiver.secret = secrets[0]
        assert cli("channels", "test", "one") == 0
        assert receiver.received[-1].is_verified
    assert cli("channels", "list") == 0
    assert "one\twebhook" in cli.out
    assert secrets[0] not in cli.out


def test_a_test_that_does_not_arrive_is_exit_code_1_with_the_reason(cli: CommandLine) -> None:
    with Receiver(answering(500, body=b"out of order")) as receiver:
        assert cli("channels", "add", receiver.url, "--key", "two", "--secret", SECRET) == 0, cli.err
        assert SECRET not in cli.out
        assert cli("channels", "test", "two") == 1
        assert "out of order" in cli.out
        deliveries = cli.answer("deliveries", "list", "--channel", "two", "--state", "failed")
        delivery_id = deliveries["items"][0]["id"]
        receiver.behaviour = answering(200)
        assert cli("deliveries", "redeliver", delivery_id) == 0
        assert receiver.wait_for(2)[1].id == delivery_id
        assert cli("deliveries", "show", delivery_id) == 0
        assert delivery_id in cli.out


def test_a_key_is_made_from_the_address_and_a_refusal_is_one_line(cli: CommandLine) -> None:
    assert cli("channels", "add", "https://no-such-host.invalid/x", "--json") == 0, cli.err
    assert '"key": "no-such-host-invalid"' in cli.out
    assert cli("channels", "add", "http://10.0.0.1/") == 1
    assert "private" in cli.err
    assert cli.err.count("\n") == 1
    assert cli("channels", "remove", "no-such-host-invalid") == 2
    assert cli("channels", "remove", "no-such-host-invalid", "--yes") == 0


def test_a_disabled_channel_is_taken_back(cli: CommandLine) -> None:
    with Receiver(answering(410)) as receiver:
        assert cli("channels", "add", receiver.url, "--key", "three", "--test") == 1
        shown = {item["key"]: item for item in cli.answer("channels", "list")["items"]}
        assert shown["three"]["enabled"] is False
        assert cli("channels", "enable", "three") == 0
        receiver.behaviour = answering(200)
        assert cli("channels", "test", "three", "--json") == 0
