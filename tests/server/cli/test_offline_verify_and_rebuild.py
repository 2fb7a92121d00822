"""`verify` and `rebuild` on a directory: what agrees, what does not, and what ends the process that reads it."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from tallystick_server.cli.failure import Failure
from tallystick_server.cli.main import main
from tallystick_server.cli.offline import _ended  # pyright: ignore[reportPrivateUsage]
from tallystick_server.cli.offline_walk import Step
from tests.appliance import Appliance

EVENT_COUNT = 3_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with some events, left by an appliance that was asked to stop."""
    with Appliance(tmp_path_factory.mktemp("offline"), settings={"engine.checkpoint_events": 1_000}) as appliance:
        for first in range(0, EVENT_COUNT, 500):
            events = [
                {"id": f"e{at}", "type": "call", "customer": f"c{at % 5}", "time": 1_793_527_200_000 + at, "value": at}
                for at in range(first, first + 500)
            ]
            appliance.client.post("/v1/events", json=events).raise_for_status()
        assert appliance.terminate() == 0
        return appliance.data


@pytest.fixture
def data(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "data"))


def test_a_sound_directory_agrees_and_exits_0(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--data", str(data)]) == 0
    assert "Everything agrees: 3,000 events" in capsys.readouterr().out
    assert main(["verify", "--data", str(data), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["events"], answer["first_bad_position"]) == (True, EVENT_COUNT, None)


def test_a_rebuilt_directory_agrees_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rebuild", "--data", str(data), "--yes"]) == 0
    assert "made again from the log" in capsys.readouterr().out
    assert main(["verify", "--data", str(data)]) == 0


@pytest.mark.parametrize("folder", ["log", "segments", "dedupe"])
def test_changed_bytes_in_any_file_exit_1_and_name_the_first_bad_position(
    folder: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = max((data / folder).iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    # A byte every so often, since one alone may lie in free space; LMDB's two first pages only say where the others are.
    for at in range(8_192 if folder == "log" else 64, len(content), 512):
        content[at] ^= 0x01
    file.write_bytes(content)
    assert main(["verify", "--data", str(data)]) == 1
    captured = capsys.readouterr()
    assert "First bad position: " in captured.out
    assert captured.err == "tallystick: verification failed\n"


def test_a_log_that_was_cut_in_half_exits_1_without_a_crash(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = data / "log" / "data.mdb"
    written = log.read_bytes().rstrip(b"\0")  # the room ahead of it is no part of the log
    log.write_bytes(written[: len(written) // 2])
    assert main(["verify", "--data", str(data)]) == 1
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    assert "tallystick: " in captured.err


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT])
def test_a_walk_that_a_signal_of_the_memory_ended_is_damage_at_the_place_reached(number: signal.Signals) -> None:
    finding = _ended(-number, Step("chain", 1_234, 2_000), "")
    assert finding.first_bad_position == 1_234
    assert number.name in finding.problems[0]


def test_a_walk_that_was_killed_is_no_verdict() -> None:
    with pytest.raises(Failure, match="before its time"):
        _ended(-signal.SIGKILL, Step("chain", 1_234, 2_000), "")


@pytest.mark.parametrize("command", [["verify"], ["rebuild", "--yes"]])
def test_a_directory_in_use_is_refused_with_what_to_do(
    command: list[str], cli_appliance: Appliance, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", str(cli_appliance.data)]) == 1
    captured = capsys.readouterr()
    assert "in use by another process" in captured.err
    if command == ["verify"]:
        assert "--url" in captured.err
        assert main(["verify", "--url", cli_appliance.url, "--api-key", cli_appliance.admin_key]) == 0


@pytest.mark.parametrize("command", [["verify"], ["rebuild", "--yes"]])
def test_a_directory_that_is_none_of_ours_is_refused(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", str(tmp_path / "nothing")]) == 1
    assert "there is no such directory" in capsys.readouterr().err
    assert main([*command, "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
