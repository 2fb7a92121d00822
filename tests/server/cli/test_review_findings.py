"""What somebody found who tried every command for the first time: each of these once misled, or did harm."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tallystick_server.cli.main import main
from tests.appliance import Appliance
from tests.server.cli.command_line import CommandLine

PROGRAM = [sys.executable, "-m", "tallystick_server"]


def send(cli: CommandLine, *events: dict[str, object]) -> None:
    cli.appliance.client.post("/v1/events", json=list(events)).raise_for_status()


@pytest.mark.parametrize("command", ["export", "statement"])
def test_a_file_that_is_written_keeps_its_mode_a_link_is_followed_and_a_pipe_is_no_file(
    cli: CommandLine, tmp_path: Path, command: str
) -> None:
    send(cli, {"id": f"written-{command}", "type": "written", "customer": "w", "time": "2026-11-01T00:00:00Z"})
    span = ["--from", "2026-11-01", "--to", "2026-11-02"]
    words = ["export", *span] if command == "export" else ["statement", "w", *span, "--events-out"]
    file, link, pipe = tmp_path / "mine.jsonl", tmp_path / "link.jsonl", tmp_path / "pipe.jsonl"
    file.touch()
    file.chmod(0o600)
    link.symlink_to(file)
    os.mkfifo(pipe)
    assert cli(*words, link) == 0, cli.err
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "written" in file.read_text()
    assert cli(*words, pipe) == 1
    assert "is no file" in cli.err
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert cli(*words, tmp_path / "no-folder" / "x.jsonl") == 1
    assert ".partial" not in cli.err
    assert "cannot be written" in cli.err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link.jsonl", "mine.jsonl", "pipe.jsonl"]


def test_a_lone_hyphen_is_stdin_wherever_the_help_says_so(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = {"event_type": "hyphen", "aggregation": "count"}

    def typed(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    typed(json.dumps(meter))
    assert cli("meters", "create", "hyphen", "--file", "-") == 0, cli.err
    typed(json.dumps({"meter": "hyphen", "condition": {"type": "threshold", "thresholds": [5]}, "period": "day"}))
    assert cli("signals", "create", "hyphen", "--file", "-") == 0, cli.err
    typed("slack://TokenA/TokenB/TokenC\n")
    assert cli("channels", "add", "-", "--key", "hyphen") == 0, cli.err
    assert cli("meters", "create", "other", "--file", "-x") == 2
    assert "name a file, or - for stdin" in cli.err


def test_an_archived_meter_is_still_read_by_its_name(cli: CommandLine) -> None:
    send(cli, {"id": "archived-1", "type": "archived", "customer": "a", "time": "2026-11-01T00:00:00Z"})
    assert cli("meters", "create", "gone", "--event-type", "archived", "--aggregation", "count") == 0, cli.err
    assert cli("meters", "archive", "gone", "--yes") == 0
    span = ["--from", "2026-11-01", "--to", "2026-11-02"]
    assert cli.answer("usage", "gone", *span)["totals"][0]["value"] == "1"
    assert cli("explain", "gone", *span) == 0, cli.err
    assert "archived-1" in cli.out
    assert cli("meters", "show", "gone") == 0, cli.err


def test_an_event_that_is_not_found_says_among_which_source_it_was_looked_for(cli: CommandLine) -> None:
    send(cli, {"id": "sourced", "source": "gw", "type": "t", "customer": "c"})
    assert cli("events", "void", "sourced", "--reason", "typo") == 1
    assert "without a source (--source names one): sourced" in cli.err
    assert cli("events", "void", "nothing", "--source", "gw", "--reason", "typo") == 1
    assert "of source 'gw': nothing" in cli.err


class OtherServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = b"<html>welcome</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.mark.parametrize("words", [["meters", "show", "x"], ["usage", "x"], ["log", "head"], ["status"]])
def test_what_answers_and_is_no_appliance_is_told_in_a_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with HTTPServer(("127.0.0.1", 0), OtherServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            for form in ([], ["--json"]):
                assert main([*words, "--url", f"http://127.0.0.1:{server.server_port}", *form]) == 1
                assert "not one of a tallystick appliance" in capsys.readouterr().err
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_ends_no_command_with_an_error_of_its_own(closed: str, appliance: Appliance) -> None:
    command = " ".join([*PROGRAM, "status", "--url", appliance.url, "--api-key", appliance.admin_key, closed])
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr


@pytest.fixture
def appliance(cli_appliance: Appliance) -> Appliance:
    return cli_appliance


def test_an_appliance_and_a_directory_are_not_both_asked(cli: CommandLine, tmp_path: Path) -> None:
    for words in (["verify"], ["backup", tmp_path / "backup"]):
        assert cli(*words, "--data", tmp_path) == 2
        assert "--url and --data name two things" in cli.err


def test_an_import_that_ends_early_says_what_became_of_what_was_sent(cli: CommandLine, tmp_path: Path) -> None:
    refused, other = tmp_path / "refused.jsonl", tmp_path / "other.csv"
    refused.write_text('{"id": "early-1", "type": "early"}\n{"id": "early-2", "type": "early"}\n')
    other.write_text("id,type\na,early\n")
    assert cli("import", refused, other, "--map", "customer=zzz") == 1
    assert "no column 'zzz'" in cli.err
    assert "missing_customer" in cli.err
    assert "rejected" in cli.out
    assert "2" in cli.out


@pytest.mark.parametrize("words", [["import"], ["reconcile", "--customer", "a", "--from", "2026-11-01"]], ids="-".join)
def test_an_appliance_that_is_silent_is_given_up_when_it_was_said(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "silent.jsonl"
    file.write_text('{"id": "silent-1", "type": "silent", "customer": "a", "time": "2026-11-01T00:00:00Z"}\n')
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started_s = time.monotonic()
        assert main([*words, str(file), "--give-up-after", "1", "--url", url]) == 1
        assert time.monotonic() - started_s < 60
    assert "gave up after 1 s" in capsys.readouterr().err
    assert main([*words, str(file), "--give-up-after", "0", "--url", url]) == 2
    assert "--give-up-after: give at least 1" in capsys.readouterr().err
