"""One directory, one process, one format."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.data_directory import FORMAT, DataDirectory
from tallystick.errors import DirectoryInUse, NewerFormat, StoreRefused


def test_a_fresh_directory_is_stamped_and_closed_to_others(tmp_path: Path) -> None:
    os.umask(0)
    directory = DataDirectory(tmp_path / "a" / "data")
    directory.stamp()
    assert (directory.path / "FORMAT").read_text() == f"{FORMAT}\n"
    for path in directory.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    directory.close()


def test_a_second_process_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    program = "import sys, pathlib; from tallystick.data_directory import DataDirectory; DataDirectory(pathlib.Path(sys.argv[1]))"
    second = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert f"in use by another process (process {os.getpid()})" in second.stderr.strip().splitlines()[-1]
    directory.close()
    DataDirectory(tmp_path / "data").close()


def test_a_second_opening_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    with pytest.raises(DirectoryInUse):
        DataDirectory(tmp_path / "data")
    directory.close()


def test_a_newer_format_is_refused_and_says_what_to_start(tmp_path: Path) -> None:
    DataDirectory(tmp_path / "data").close()
    (tmp_path / "data" / "FORMAT").write_text("999\n")
    with pytest.raises(NewerFormat, match="start the newer version"):
        DataDirectory(tmp_path / "data")
    # The lock was let go of, so that the newer version can have it.
    (tmp_path / "data" / "FORMAT").write_text(f"{FORMAT}\n")
    DataDirectory(tmp_path / "data").close()


def test_a_stamp_that_is_no_number_is_refused(tmp_path: Path) -> None:
    DataDirectory(tmp_path / "data").close()
    (tmp_path / "data" / "FORMAT").write_text("one")
    with pytest.raises(StoreRefused, match="no format version"):
        DataDirectory(tmp_path / "data")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreRefused, match="holds other things"):
        DataDirectory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_crash_in_the_first_moments_left_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "data" / "log").mkdir(parents=True)
    (tmp_path / "data" / "FORMAT.tmp").write_text("1")
    directory = DataDirectory(tmp_path / "data")
    directory.stamp()
    directory.close()
    assert (tmp_path / "data" / "FORMAT").exists()


def test_a_file_in_place_of_the_directory_is_refused_with_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreRefused, match="cannot be used as a data directory"):
        DataDirectory(tmp_path / "data")
