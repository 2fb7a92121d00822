"""How the dashboard was left is there again, bounded, and damage to it never keeps the dashboard from starting."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_tui.config.failure import ConfigFailure
from tallystick_tui.config.view_state import (
    CHOICES_MAX,
    FILE_BYTES_MAX,
    NAME_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    VIEWS_MAX,
    SavedView,
    ViewState,
    ViewStateFile,
)

VIEW = SavedView(name="Tokens by model", section="explorer", question="meter=tokens&group_by=model")


@pytest.fixture
def file(folder: Path, said: list[str]) -> ViewStateFile:
    return ViewStateFile(folder, say=said.append)


def test_what_was_chosen_is_there_at_the_next_start(file: ViewStateFile, folder: Path) -> None:
    assert file.read() == ViewState()
    file.choose_theme("dusk")
    file.save_view(VIEW)
    file.remember("explorer.window", "day")
    again = ViewStateFile(folder, say=print).read()
    assert again == ViewState(theme="dusk", views=[VIEW], choices={"explorer.window": "day"})


def test_a_view_of_the_same_name_gives_way(file: ViewStateFile) -> None:
    other = SavedView(name=VIEW.name, section="events", question="type=call")
    newer = SavedView(name=VIEW.name, section=VIEW.section, question="meter=requests")
    for view in (VIEW, other, newer):
        file.save_view(view)
    assert file.read().views == [other, newer]
    file.remove_view(newer.section, newer.name)
    file.remove_view("nowhere", "nothing")
    assert file.read().views == [other]


@given(damage=st.binary(max_size=200))
def test_no_damage_keeps_the_dashboard_from_starting(tmp_path_factory: pytest.TempPathFactory, damage: bytes) -> None:
    folder, said = tmp_path_factory.mktemp("damage"), list[str]()
    (folder / "view-state.json").write_bytes(damage)
    file = ViewStateFile(folder, say=said.append)
    assert file.read() == ViewState()
    assert any("set aside as view-state.json.damaged-1" in line for line in said)
    assert (folder / "view-state.json.damaged-1").read_bytes() == damage
    assert file.choose_theme("dusk").theme == "dusk"


def test_what_was_set_aside_before_is_not_written_over(file: ViewStateFile, folder: Path) -> None:
    folder.mkdir()
    for number in (1, 2):
        (folder / "view-state.json").write_text(f"damage {number}")
        file.read()
    assert (folder / "view-state.json.damaged-1").read_text() == "damage 1"
    assert (folder / "view-state.json.damaged-2").read_text() == "damage 2"


def test_damage_without_end_is_said_and_still_no_crash(file: ViewStateFile, folder: Path, said: list[str]) -> None:
    folder.mkdir()
    for _ in range(21):
        (folder / "view-state.json").write_text("damage")
        assert file.read() == ViewState()
    assert "such files lie beside it already" in said[-1]
    with pytest.raises(ConfigFailure):
        file.choose_theme("dusk")
    assert (folder / "view-state.json").read_text() == "damage"


def test_a_folder_in_the_place_of_the_file_is_said(file: ViewStateFile, folder: Path, said: list[str]) -> None:
    (folder / "view-state.json").mkdir(parents=True)
    assert file.read() == ViewState()
    assert "the views start as new" in said[0]


def test_everything_is_bounded_and_a_refusal_changes_nothing(file: ViewStateFile) -> None:
    many = [SavedView(name=f"v{number}", section="s", question="") for number in range(VIEWS_MAX)]
    full = file.change(lambda _state: ViewState(views=many))
    refused = [
        lambda: file.save_view(VIEW),
        lambda: file.choose_theme("x" * (NAME_LENGTH_MAX + 1)),
        lambda: file.choose_theme("\x1b[31m"),
        lambda: file.remember("x", "y" * (TEXT_LENGTH_MAX + 1)),
        lambda: file.change(lambda _state: ViewState(choices={str(number): "" for number in range(CHOICES_MAX + 1)})),
        lambda: file.change(
            lambda _state: ViewState(
                views=[
                    SavedView(name=f"v{number}", section="s", question="x" * TEXT_LENGTH_MAX)
                    for number in range(VIEWS_MAX)
                ]
            )
        ),
    ]
    for attempt in refused:
        with pytest.raises(ConfigFailure):
            attempt()
    assert file.read() == full
    assert VIEWS_MAX * TEXT_LENGTH_MAX > FILE_BYTES_MAX


def test_a_crash_in_the_middle_of_writing_leaves_the_old_state(
    file: ViewStateFile, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.choose_theme("dusk")

    def crash(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(ConfigFailure, match="No space left"):
            file.choose_theme("dawn")
    assert file.read().theme == "dusk"
    assert sorted(path.name for path in folder.iterdir()) == [".view-state.json.lock", "view-state.json"]
