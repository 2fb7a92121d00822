"""`tallystick connections` and what `tallystick tui` refuses: as a script and as a person call them."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tallystick_server.cli.main import build_app, main
from tests.appliance import Appliance
from tests.server.cli.test_cli_docs import commands

KEY = "tallystick-key-0123456789"
URL = "https://usage.example.com"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TALLYSTICK_URL", "TALLYSTICK_API_KEY", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TALLYSTICK_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return tmp_path / "config"


def type_in(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_key_on_stdin_is_kept_and_shown_nowhere(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(KEY + "\n", monkeypatch)
    assert main(["connections", "add", "prod", "--url", URL, "--key-stdin"]) == 0
    assert main(["connections", "add", "here", "--url", "http://127.0.0.1:7070", "--no-key"]) == 0
    assert main(["connections", "use", "here"]) == 0
    assert main(["connections", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "connections": {
            "prod": {"url": URL, "key_in": "file"},
            "here": {"url": "http://127.0.0.1:7070", "key_in": "none"},
        },
        "used": "here",
    }
    assert KEY not in out + err
    assert KEY in (config / "keys.json").read_text()

    assert main(["connections", "remove", "prod"]) == 0
    assert KEY not in (config / "keys.json").read_text()
    assert main(["connections", "list"]) == 0
    assert capsys.readouterr().out == "here\thttp://127.0.0.1:7070\tnone\ttrue\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["connections", "add", "prod", "--url", URL], "there is no terminal to ask"),
        (["connections", "add", "prod", "--url", URL, "--key-stdin"], "nothing came on stdin"),
        (["connections", "add", "prod", "--url", URL, "--no-key", "--key-stdin"], "--no-key keeps no key"),
        (["connections", "add", "prod", "--url", "usage.example.com", "--no-key"], "is no address"),
        (["connections", "add", "pr od", "--url", URL, "--no-key"], "is no name for a connection"),
        (["connections", "add", "prod"], "--url"),
        (["connections", "use", "prod"], "no connection is called 'prod'"),
        (["connections", "remove", "prod"], "no connection is called 'prod'"),
        (["status", "--connection", "prod"], "no connection is called 'prod'"),
        (["usage", "tokens", "--connection", "prod", "--url", URL], "not both"),
        (["verify", "--connection", "prod", "--url", URL], "not both"),
        (["verify", "--connection", "prod", "--data", "."], "--connection and --data name two things"),
        (["tui"], "needs a terminal"),
        (["tui", "--port", "80"], "--port belongs to --serve"),
        (["tui", "--serve", "--port", "70000"], "give 0 to 65535"),
        (["tui", "--serve", "--host", "192.0.2.1"], "--host"),
        (["tui", "--serve", "--connection", "prod"], "no connection is called 'prod'"),
        (["tui", "--serve", "--connection", "prod", "--url", URL], "not both"),
        (["tui", "--serve", "--url", "x"], "is no address"),
        (["tui", "--serve", "--api-key", "a b"], "copy it again"),
    ],
    ids=" ".join,
)
def test_bad_use_is_one_line_and_exit_code_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in("", monkeypatch)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    assert says in err


def test_a_key_over_http_to_another_machine_is_warned_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(KEY, monkeypatch)
    assert main(["connections", "add", "prod", "--url", "http://usage.example.com", "--key-stdin"]) == 0
    assert "travels unencrypted" in capsys.readouterr().err


def test_every_command_finds_its_appliance_and_the_key_by_name_whatever_the_environment_says(
    cli_appliance: Appliance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(cli_appliance.admin_key, monkeypatch)
    assert main(["connections", "add", "here", "--url", cli_appliance.url, "--key-stdin"]) == 0
    monkeypatch.setenv("TALLYSTICK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TALLYSTICK_API_KEY", "a-key-of-another-appliance")
    for words in (["log", "head"], ["events", "list"], ["verify"]):
        assert main([*words, "--connection", "here"]) == 0, capsys.readouterr().err


def test_a_connection_without_a_key_takes_the_one_of_the_environment_and_one_that_is_given_beats_both(
    cli_appliance: Appliance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["connections", "add", "here", "--url", cli_appliance.url, "--no-key"]) == 0
    monkeypatch.setenv("TALLYSTICK_API_KEY", cli_appliance.admin_key)
    assert main(["log", "head", "--connection", "here"]) == 0
    assert main(["log", "head", "--connection", "here", "--api-key", "another"]) == 1
    assert "not valid here" in capsys.readouterr().err


def test_an_empty_name_is_bad_use_rather_than_the_connection_that_was_chosen(
    cli_appliance: Appliance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(cli_appliance.admin_key, monkeypatch)
    assert main(["connections", "add", "here", "--url", cli_appliance.url, "--key-stdin"]) == 0
    for words in (["log", "head"], ["verify"]):
        assert main([*words, "--connection", ""]) == 2
        assert "--connection: give the name" in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted(commands(build_app())), ids=" ".join)
def test_where_an_address_can_be_given_a_name_can(command: tuple[str, ...]) -> None:
    _, path, _ = build_app().parse_commands(list(command))
    names = {argument.name for argument in path[-1].assemble_argument_collection()}
    if "--url" in names and command != ("connections", "add"):
        assert "--connection" in names


def test_the_help_of_the_dashboard_warns_of_a_key_in_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tui", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "Warning: what is given here can be read" in words
    assert "[env var: TALLYSTICK_API_KEY]" not in words


def test_a_person_is_asked_for_the_key_and_does_not_see_it(config: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tallystick_server", "connections", "add", "prod", "--url", URL]
    program = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown, has_answered, deadline_s = b"", False, time.monotonic() + 60
    try:
        while time.monotonic() < deadline_s and b"Added prod" not in shown:
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 4096)
            if b"not shown" in shown and not has_answered:
                os.write(ours, f"{KEY}\n".encode())
                has_answered = True
        assert program.wait(timeout=30) == 0
    finally:
        program.kill()
        program.wait()
        os.close(ours)
    assert b"Added prod" in shown
    assert KEY.encode() not in shown
    assert KEY in (config / "keys.json").read_text()
