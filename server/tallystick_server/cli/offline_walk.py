"""The child process of `verify`, `rebuild`, `backup` and `restore`: works on a data directory, and tells how it goes as JSON lines.

A process of its own, because a damaged file can end the process that maps it into memory (SIGBUS, SIGSEGV): the parent then says that
the directory is damaged, instead of dying without a word. Not for people; hidden from the list of commands.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from cyclopts import App

from .directory import settings_of

if TYPE_CHECKING:
    from tallystick.engine_settings import EngineSettings
    from tallystick.progress import Progress

app = App(
    name="offline-walk",
    help="Used by `verify`, `rebuild`, `backup` and `restore`.",
    help_epilogue="Examples:\n  tallystick verify",
)

Work = Literal["verify", "rebuild", "backup", "restore"]


class Step(msgspec.Struct, frozen=True, tag="step"):
    """How far the walk has come."""

    step: str
    done: int
    total: int


class Finding(msgspec.Struct, frozen=True, kw_only=True, tag="finding"):
    """How the walk ended; `first_bad_position` is None, and `problems` empty, when everything agrees."""

    position: int = 0
    blocks: int = 0
    events: int = 0
    head_hash: str = ""
    first_bad_position: int | None = None
    problems: list[str] = []


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why there was no walk."""

    detail: str
    is_in_use: bool = False


Message = Step | Finding | Refusal


@app.default
def offline_walk(work: Work, directory: Path, /, *, config: Path | None = None, backup: Path | None = None) -> int:
    """Walk the directory; `backup` writes that folder, `restore` reads it. The exit code is 0 whenever the last line tells how it ended."""
    from tallystick.errors import DamagedStore, DirectoryInUse, TallystickError

    try:
        engine = settings_of(directory, config).engine
        match work:
            case "verify":
                _tell(_verified(directory, engine))
            case "rebuild":
                _tell(_rebuilt(directory, engine))
            case "backup":
                _tell(_backed_up(directory, backup or Path()))
            case "restore":
                _tell(_restored(directory, backup or Path(), engine))
    except DamagedStore as error:
        _tell(Finding(first_bad_position=error.position, problems=[str(error)]))
    except DirectoryInUse as error:
        _tell(Refusal(str(error), is_in_use=True))
    except (TallystickError, OSError) as error:
        _tell(Refusal(str(error)))
    return 0


def _verified(directory: Path, settings: EngineSettings) -> Finding:
    from tallystick.engine import verify_directory

    report = verify_directory(directory, _report, settings=settings)
    return Finding(
        position=report.head.position,
        blocks=report.blocks,
        events=report.events,
        head_hash=report.head.hash.hex(),
        first_bad_position=report.first_bad_position,
        problems=report.problems,
    )


def _rebuilt(directory: Path, settings: EngineSettings) -> Finding:
    from tallystick.engine import rebuild_directory
    from tallystick_server.present import SystemClock, SystemEntropy

    head = rebuild_directory(directory, _report, clock=SystemClock(), entropy=SystemEntropy(), settings=settings)
    return Finding(position=head.position, head_hash=head.hash.hex())


def _backed_up(directory: Path, backup: Path) -> Finding:
    from tallystick.engine import back_up_directory
    from tallystick_server.present import SystemClock

    kept = back_up_directory(directory, backup, _report, clock=SystemClock())
    return Finding(position=kept.position, blocks=kept.block, head_hash=kept.hash)


def _restored(directory: Path, backup: Path, settings: EngineSettings) -> Finding:
    from tallystick.backup.backup_folder import BackupFolder
    from tallystick.engine import restore_directory
    from tallystick_server.present import SystemClock, SystemEntropy

    folder = BackupFolder.opened(backup)
    head = restore_directory(
        folder, directory, _report, clock=SystemClock(), entropy=SystemEntropy(), settings=settings
    )
    return Finding(position=head.position, blocks=head.block, head_hash=head.hash.hex())


def _report(progress: Progress) -> None:
    _tell(Step(progress.step, progress.done, progress.total))


def _tell(message: Message) -> None:
    sys.stdout.write(msgspec.json.encode(message).decode() + "\n")
    sys.stdout.flush()
