"""`backup` while an appliance takes events, by its directory and over HTTP; and `restore` into an appliance that answers the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick_server.cli.main import main
from tests.appliance import Appliance

METER = {"key": "calls", "event_type": "call", "aggregation": "sum"}
RANGE = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
FIRST_TIME = 1_793_527_200_000


@contextmanager
def sending(appliance: Appliance) -> Generator[threading.Event]:
    """Send events as fast as they are taken, until the block ends; the event is set once some were."""
    is_over, some_were = threading.Event(), threading.Event()
    headers = {"Authorization": f"Bearer {appliance.admin_key}"}

    def send() -> None:
        with httpx.Client(base_url=appliance.url, headers=headers, trust_env=False) as client:
            sent = 0
            while not is_over.is_set():
                events = [
                    {"id": f"e{at}", "type": "call", "customer": f"c{at % 7}", "time": FIRST_TIME + at, "value": at}
                    for at in range(sent, sent + 200)
                ]
                client.post("/v1/events", json=events).raise_for_status()
                sent += len(events)
                some_were.set()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield some_were
    finally:
        is_over.set()
        thread.join()


def answered(capsys: pytest.CaptureFixture[str], *words: object) -> Any:  # Any: decoded JSON
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def figure(appliance: Appliance, position: int) -> Any:  # Any: a number
    params: dict[str, str | int] = {**RANGE, "as_of": position}
    answer = appliance.client.get("/v1/meters/calls/usage", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["totals"]


def test_figures_of_a_backup_under_load_equal_those_at_its_position(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_files, by_http = tmp_path / "by-files", tmp_path / "by-http"
    with Appliance(tmp_path / "first", settings={"engine.checkpoint_events": 1_000}) as first:
        first.client.post("/v1/meters", json=METER).raise_for_status()
        with sending(first) as some_were:
            assert some_were.wait(30)
            heads: list[Any] = []
            for _ in range(4):
                heads.append(answered(capsys, "backup", by_files, "--data", first.data))
                over = ["--url", first.url, "--api-key", first.admin_key]
                heads.append(answered(capsys, "backup", by_http, *over))
        positions = [head["position"] for head in heads]
        assert positions == sorted(positions)
        assert positions[0] < positions[-1]
        for name, head in ((by_files, heads[-2]), (by_http, heads[-1])):
            assert answered(capsys, "backup", name, "--check")["hash"] == head["hash"]
            restored = tmp_path / f"restored-{name.name}"
            (restored / "data").mkdir(parents=True)
            assert answered(capsys, "restore", name, "--data", restored / "data")["hash"] == head["hash"]
            assert main(["verify", "--data", str(restored / "data")]) == 0
            with Appliance(restored, admin_key=first.admin_key) as second:
                assert figure(second, head["position"]) == figure(first, head["position"])


def test_an_appliance_that_was_stopped_is_backed_up_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Appliance(tmp_path / "stopped") as appliance:
        appliance.client.post("/v1/events", json={"id": "a", "type": "call", "customer": "c"}).raise_for_status()
        assert appliance.terminate() == 0
        head = answered(capsys, "backup", tmp_path / "backup", "--data", appliance.data)
        assert head["position"] > 0
        assert main(["backup", str(tmp_path / "backup"), "--data", str(appliance.data)]) == 0
        assert f"up to position {head['position']}" in capsys.readouterr().out


def test_what_cannot_be_done_is_said_in_a_line_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with Appliance(tmp_path / "appliance") as appliance:
        backup, over = tmp_path / "backup", ["--url", appliance.url, "--api-key", appliance.admin_key]
        assert main(["backup", str(backup), *over]) == 0
        reader = ["--url", appliance.url, "--api-key", appliance.new_key("read")]
        refusals = (
            (["backup", tmp_path / "full", "--data", appliance.data], "letter.txt"),
            (["backup", tmp_path / "full", *over], "letter.txt"),
            (["backup", backup, "--data", tmp_path / "nowhere"], "no such directory"),
            (["backup", backup, "--data", tmp_path / "full"], "no data directory"),
            (["backup", backup, *reader], "lacks the scope"),
            (["backup", tmp_path / "full", "--check"], "no backup"),
            (["restore", tmp_path / "full", "--data", tmp_path / "new"], "no backup"),
            (["restore", backup, "--data", appliance.data], "not empty"),
        )
        for words, said in refusals:
            assert main([str(word) for word in words]) == 1, words
            complaint = capsys.readouterr().err
            assert said in complaint
            assert complaint.count("\n") == 1, complaint


def test_a_copy_of_the_log_needs_the_scope_admin_and_a_number(tmp_path: Path) -> None:
    with Appliance(tmp_path / "appliance") as appliance:
        copied = appliance.client.get("/v1/log/copy")
        assert copied.status_code == 200
        assert copied.headers["content-type"] == "application/octet-stream"
        head = appliance.client.get("/v1/log/head").json()
        assert bytes.fromhex(head["hash"]) in copied.content
        assert appliance.client.get("/v1/log/copy", params={"after": head["block"]}).content == b""
        assert appliance.client.get("/v1/log/copy", params={"after": 2**63 - 1}).content == b""
        for wrong in ("-1", "x", str(2**63), "1.5"):
            assert appliance.client.get("/v1/log/copy", params={"after": wrong}).status_code == 400
        bearer = {"Authorization": f"Bearer {appliance.new_key('read')}"}
        assert appliance.client.get("/v1/log/copy", headers=bearer).status_code == 403
