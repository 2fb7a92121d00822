"""Partials that are cut, changed, foreign or gone cost time: no answer changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tallystick import failpoints
from tallystick.cancellation import Cancellation, Cancelled
from tallystick.partials.partial_folder import PartialFolder
from tests.core.engine.conftest import EngineHouse
from tests.core.partials.asking_twice import from_events, from_states
from tests.core.partials.conftest import BY_DAY, METER, send


def partials_of(house: EngineHouse) -> list[Path]:
    house.engine.states_view().partials.wait()
    return sorted((house.directory / "partials").iterdir())


def ask(house: EngineHouse) -> bytes:
    answer = from_states(house.engine, METER, BY_DAY)
    house.engine.states_view().partials.wait()
    return answer


def test_a_partial_of_each_segment_is_kept_and_found_after_a_restart(house: EngineHouse) -> None:
    answer = ask(house)
    written = {path: path.stat().st_mtime_ns for path in partials_of(house)}
    assert len(written) == 3
    house.restart()
    assert ask(house) == answer
    assert {path: path.stat().st_mtime_ns for path in partials_of(house)} == written


def test_a_bit_that_turns_anywhere_in_a_file_is_noticed(tmp_path: Path) -> None:
    states, digest = pl.DataFrame({"by 0": ["acme", None], "events": [3, 4]}), b"d" * 16
    PartialFolder(tmp_path, bytes_max=1 << 20).write("000000000001.parquet", digest, states)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for bit in range(0, len(content) * 8, 3):
        turned = bytearray(content)
        turned[bit // 8] ^= 1 << bit % 8
        path.write_bytes(turned)
        folder = PartialFolder(tmp_path, bytes_max=1 << 20)
        assert folder.read("000000000001.parquet", digest) is None
        assert folder.damaged == 1
    path.write_bytes(content)
    kept = PartialFolder(tmp_path, bytes_max=1 << 20).read("000000000001.parquet", digest)
    assert kept is not None
    assert kept.equals(states)


def test_a_bit_that_turns_in_a_partial_changes_no_answer(house: EngineHouse) -> None:
    right = from_events(house.engine, METER, BY_DAY)
    assert ask(house) == right
    path = partials_of(house)[1]
    content = path.read_bytes()
    for bit in (0, 70, 200, 330, len(content) * 4, len(content) * 8 - 1):
        house.engine.close()
        turned = bytearray(content)
        turned[bit // 8] ^= 1 << bit % 8
        path.write_bytes(turned)
        house.engine = house.open()
        assert ask(house) == right
        assert house.engine.health().counters["partials_damaged"] == 1
        assert path.read_bytes() == content


def test_the_folder_keeps_what_was_used_last(tmp_path: Path) -> None:
    states = pl.DataFrame({"events": range(100)})
    PartialFolder(tmp_path / "one", bytes_max=1 << 20).write("1.parquet", b"0" * 16, states)
    size = next((tmp_path / "one").iterdir()).stat().st_size
    folder = PartialFolder(tmp_path / "few", bytes_max=3 * size)
    for number in range(3):
        folder.write("1.parquet", bytes([number]) * 16, states)
    assert folder.read("1.parquet", bytes([0]) * 16) is not None
    folder.write("1.parquet", bytes([9]) * 16, states)
    found = [number for number in (0, 1, 2, 9) if folder.read("1.parquet", bytes([number]) * 16) is not None]
    assert found == [0, 2, 9]
    assert folder.size_bytes == 3 * size == sum(path.stat().st_size for path in (tmp_path / "few").iterdir())


def test_a_partial_cut_at_any_length_changes_no_answer(house: EngineHouse) -> None:
    right = ask(house)
    path = partials_of(house)[0]
    content = path.read_bytes()
    for length in (0, 1, 8, 24, 39, 40, 41, len(content) // 2, len(content) - 1):
        house.engine.close()
        path.write_bytes(content[:length])
        house.engine = house.open()
        assert ask(house) == right
        assert path.read_bytes() == content


def test_a_partial_under_the_name_of_another_is_not_believed(house: EngineHouse) -> None:
    right = ask(house)
    first, second, _ = partials_of(house)
    house.engine.close()
    shutil.copy(first, second)
    house.engine = house.open()
    assert ask(house) == right
    assert house.engine.health().counters["partials_damaged"] == 1


def test_the_folder_may_be_deleted_while_the_engine_runs(house: EngineHouse) -> None:
    right = ask(house)
    shutil.rmtree(house.directory / "partials")
    send(house, 600, 50)
    assert ask(house) != right
    assert ask(house) == from_events(house.engine, METER, BY_DAY)


def test_partials_of_merged_segments_are_deleted(house: EngineHouse) -> None:
    for first in range(600, 2000, 200):
        send(house, first, 200)
    right = ask(house)
    assert len(partials_of(house)) == 10
    while house.engine.merge():
        pass
    house.engine.states_view().partials.wait()
    listed = {entry.file.partition(".")[0] for entry in house.engine.states_view().view.segments.entries}
    assert {path.name.partition("-")[0] for path in partials_of(house)} <= listed
    assert ask(house) == right
    # What was merged stands for the new files: nothing had to be folded.
    assert house.engine.health().counters["partials_misses"] == 10


def test_a_disk_that_takes_no_partial_changes_no_answer(house: EngineHouse) -> None:
    right = from_events(house.engine, METER, BY_DAY)
    with failpoints.armed("partials.written", failpoints.fail):
        assert ask(house) == right
    assert partials_of(house) == []
    assert house.engine.health().counters["partials_write_failures"] == 3
    assert house.engine.health().ready


def test_files_that_a_crash_left_half_written_are_removed_at_the_next_start(house: EngineHouse) -> None:
    with failpoints.armed("partials.written", failpoints.crash):
        from_states(house.engine, METER, BY_DAY)
    house.engine.close()
    (house.directory / "partials" / "000000000001-00.partial.tmp").write_bytes(b"half")
    house.engine = house.open()
    assert [path for path in partials_of(house) if path.suffix == ".tmp"] == []
    assert ask(house) == from_events(house.engine, METER, BY_DAY)


def test_a_question_that_nobody_waits_for_folds_no_further_segment(house: EngineHouse) -> None:
    cancellation = Cancellation()
    with failpoints.armed("partials.fold", failpoints.after(2, cancellation.cancel)), pytest.raises(Cancelled):
        cancellation.run(lambda: from_states(house.engine, METER, BY_DAY))
    assert ask(house) == from_events(house.engine, METER, BY_DAY)
