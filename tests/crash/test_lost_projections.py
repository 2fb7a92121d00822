"""Files that are derived from the log go, are cut, or come from an older copy: the figures stay; without the log there are none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.engine.engine import ignore_progress
from tallystick.engine.offline import rebuild_directory, verify_directory
from tallystick.errors import DamagedStore
from tallystick.testing import ManualClock, SeededEntropy
from tests.crash import numbered_events, small_engine
from tests.crash.flipped_bits import answers
from tests.crash.numbered_events import numbers
from tests.crash.test_flipped_bits import furnished


def all_answers(directory: Path) -> dict[str, object]:
    engine = small_engine.opened(directory, with_background=False)
    try:
        return {name: ask() for name, ask in answers(engine).items()}
    finally:
        engine.close()


def files_of(directory: Path, folder: str) -> list[Path]:
    return sorted(path for path in (directory / folder).iterdir() if path.is_file())


def delete_segments(directory: Path, _older: Path) -> None:
    for file in files_of(directory, "segments"):
        file.unlink()


def delete_one_segment(directory: Path, _older: Path) -> None:
    files_of(directory, "segments")[1].unlink()


def delete_runs(directory: Path, _older: Path) -> None:
    for file in files_of(directory, "dedupe"):
        file.unlink()


def delete_both_folders(directory: Path, _older: Path) -> None:
    shutil.rmtree(directory / "segments")
    shutil.rmtree(directory / "dedupe")


def cut_a_segment(directory: Path, _older: Path) -> None:
    with files_of(directory, "segments")[0].open("r+b") as file:
        file.truncate(1_000)


def cut_a_run(directory: Path, _older: Path) -> None:
    with files_of(directory, "dedupe")[0].open("r+b") as file:
        file.truncate(5_000)


def empty_a_run(directory: Path, _older: Path) -> None:
    files_of(directory, "dedupe")[-1].write_bytes(b"")


def bring_back_older_files(directory: Path, older: Path) -> None:
    for folder in ("segments", "dedupe"):
        shutil.rmtree(directory / folder)
        shutil.copytree(older / folder, directory / folder)


def add_strangers(directory: Path, older: Path) -> None:
    """Leave what a crash leaves: files that no manifest names, whole and partial."""
    shutil.copy(files_of(older, "segments")[0], directory / "segments" / "000000999999.parquet")
    (directory / "segments" / "000000999998.parquet.tmp").write_bytes(b"half")
    (directory / "dedupe" / "dedupe-000000999999.run.partial").write_bytes(b"half")


LOSSES = [
    delete_segments,
    delete_one_segment,
    delete_runs,
    delete_both_folders,
    cut_a_segment,
    cut_a_run,
    empty_a_run,
    bring_back_older_files,
    add_strangers,
]


@pytest.fixture(scope="module")
def furnished_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished(tmp_path_factory.mktemp("furnished") / "data")


@pytest.fixture(scope="module")
def older_directory(furnished_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy as it was before more came and was checkpointed over it."""
    older = tmp_path_factory.mktemp("older") / "data"
    shutil.copytree(furnished_directory, older)
    engine = small_engine.opened(furnished_directory, with_background=False)
    for batch in range(30, 44):
        engine.ingest(small_engine.batch_of(numbered_events.body(numbers(batch))))
        engine.checkpoint()
        engine.merge()
    engine.close()
    return older


@pytest.mark.parametrize("lose", LOSSES)
def test_lost_projections_are_made_again_from_the_log_with_the_same_figures(
    lose: Callable[[Path, Path], None], furnished_directory: Path, older_directory: Path, memory_folder: Path
) -> None:
    shutil.copytree(furnished_directory, memory_folder / "truth")
    shutil.copytree(furnished_directory, memory_folder / "data")
    lose(memory_folder / "data", older_directory)
    assert all_answers(memory_folder / "data") == all_answers(memory_folder / "truth")
    assert verify_directory(memory_folder / "data", ignore_progress, settings=small_engine.SETTINGS).problems == []


def test_rebuilding_changes_no_answer(furnished_directory: Path, older_directory: Path, memory_folder: Path) -> None:
    shutil.copytree(older_directory, memory_folder / "truth")
    shutil.copytree(older_directory, memory_folder / "data")
    rebuild_directory(
        memory_folder / "data", ignore_progress, clock=ManualClock(small_engine.NOW), entropy=SeededEntropy(9),
        settings=small_engine.SETTINGS,
    )  # fmt: skip
    assert all_answers(memory_folder / "data") == all_answers(memory_folder / "truth")
    assert furnished_directory.exists()


def test_a_log_that_is_gone_is_refused_rather_than_begun_anew(older_directory: Path, memory_folder: Path) -> None:
    shutil.copytree(older_directory, memory_folder / "data")
    (memory_folder / "data" / "log" / "data.mdb").unlink()
    with pytest.raises(DamagedStore, match="missing, and with it every event"):
        small_engine.opened(memory_folder / "data")
    assert not (memory_folder / "data" / "log" / "data.mdb").exists()


def test_a_directory_opens_in_another_place_with_what_a_dead_process_left_in_it(
    older_directory: Path, memory_folder: Path
) -> None:
    shutil.copytree(older_directory, memory_folder / "truth")
    elsewhere = memory_folder / "another" / "host"
    shutil.copytree(older_directory, elsewhere)
    (elsewhere / "lock").write_text("4242\n")
    (elsewhere / "FORMAT.tmp").write_text("")
    assert all_answers(elsewhere) == all_answers(memory_folder / "truth")
