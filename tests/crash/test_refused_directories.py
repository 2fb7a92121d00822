"""Directories that the appliance must not open: one clear line, exit code 1, nothing touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.appliance import Appliance
from tests.crash.child_process import environment


def serve(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tallystick_server", "serve", "--data", str(data), "--port", "0"],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def last_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip().splitlines()[-1]


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    with Appliance(tmp_path / "appliance") as appliance:
        appliance.client.post("/v1/events", json={"id": "1", "type": "t", "customer": "c"}).raise_for_status()
        assert appliance.terminate() == 0
    return appliance.data


def test_a_second_process_on_the_same_directory_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with Appliance(tmp_path / "appliance") as first:
        assert f"in use by another process (process {first.process.pid})" in last_line(serve(first.data))
        assert first.client.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    ("stamp", "line"),
    [(b"2\n", "has format 2"), (b"\xb1\n", "no format version"), (b"", "no format version")],
)
def test_a_directory_with_another_stamp_is_refused(stamp: bytes, line: str, stopped: Path) -> None:
    before = (stopped / "log" / "data.mdb").read_bytes()
    (stopped / "FORMAT").write_bytes(stamp)
    assert line in last_line(serve(stopped))
    assert (stopped / "log" / "data.mdb").read_bytes() == before


def test_a_directory_without_its_log_is_refused(stopped: Path) -> None:
    (stopped / "log" / "data.mdb").unlink()
    assert "missing, and with it every event" in last_line(serve(stopped))


def test_a_log_that_is_cut_is_refused_with_where_it_is_damaged(stopped: Path) -> None:
    with (stopped / "log" / "data.mdb").open("r+b") as file:
        file.truncate(4_096)
    assert "log" in last_line(serve(stopped))
