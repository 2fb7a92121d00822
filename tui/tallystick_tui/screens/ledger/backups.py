"""The backups that were taken from this dashboard, and the one that is being taken: folders of this machine, newest first.

Which folders is kept for the next start; what is in them is read from the folders themselves, in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.viewer import Viewer

if TYPE_CHECKING:
    from tallystick.backup.backup_folder import BackupHead
    from tallystick.progress import Progress

    from .asked_log import AskedLog

FOLDERS_MAX: Final = 4
_KEPT_AS: Final = "ledger.backups"


@dataclass(frozen=True, slots=True)
class Backup:
    """A folder, and what is in it, or why that cannot be said."""

    folder: Path
    head: BackupHead | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """The one that is being taken: `done` of `total` positions are copied."""

    folder: Path
    done: int
    total: int

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1; 0 while that is not known."""
        return self.done / self.total if self.total else 0.0


class Backups:
    """Belongs to the event loop's thread; what reads or writes files does so in another."""

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        self._client, self._viewer = client, viewer
        self.taken: list[Backup] = []
        self.running: Running | None = None
        self._folders: list[Path] = []

    async def read(self) -> None:
        """Look what is in the folders."""
        self.taken = await asyncio.to_thread(self._read)

    async def take(self, folder_typed: Path, told: Callable[[], None]) -> BackupHead:
        """Take one into the folder, and return where it ends; `told` is called as `running` moves.

        Raises `ApplianceFailure`, `TallystickError` for a folder that cannot be used, `OSError`, `ConfigFailure` if it cannot be kept.
        """
        from .asked_log import AskedLog  # noqa: PLC0415 - with the code of backups, which few starts need

        loop = asyncio.get_running_loop()
        folder = await asyncio.to_thread(lambda: folder_typed.expanduser().absolute())

        def report(progress: Progress) -> None:
            loop.call_soon_threadsafe(moved, progress)

        def moved(progress: Progress) -> None:
            if self.running is not None:
                self.running = Running(folder, progress.done, progress.total)
                told()

        source = AskedLog(self._client)
        self.running = Running(folder, 0, 0)
        told()
        try:
            head = await asyncio.to_thread(_take, folder, source, report, self._now_ns())
        finally:
            source.is_stopped = True
            self.running = None
        await asyncio.to_thread(self._keep, folder)
        await self.read()
        return head

    def _now_ns(self) -> int:
        return int(self._viewer.now().timestamp() * 1000) * 1_000_000

    def _keep(self, folder: Path) -> None:
        self._folders = [folder, *(each for each in self._kept() if each != folder)][:FOLDERS_MAX]
        if self._viewer.kept is not None:
            self._viewer.kept.remember(_KEPT_AS, msgspec.json.encode([str(each) for each in self._folders]).decode())

    def _kept(self) -> list[Path]:
        if self._viewer.kept is None:
            return self._folders
        try:
            text = self._viewer.kept.read().choices.get(_KEPT_AS, "[]")
            return [Path(name) for name in msgspec.json.decode(text, type=list[str])][:FOLDERS_MAX]
        except msgspec.MsgspecError:
            return self._folders

    def _read(self) -> list[Backup]:
        return [_backup(folder) for folder in self._kept()]


def _take(folder: Path, source: AskedLog, report: Callable[[Progress], None], now_ns: int) -> BackupHead:
    from tallystick.backup.backup_folder import BackupFolder  # noqa: PLC0415 - as above
    from tallystick.backup.take_backup import take_backup  # noqa: PLC0415
    from tallystick.instant import Instant, StillClock  # noqa: PLC0415

    with BackupFolder.adding(folder) as backup:
        return take_backup(backup, source, report, clock=StillClock(Instant(now_ns)))


def _backup(folder: Path) -> Backup:
    from tallystick.backup.backup_folder import BackupFolder  # noqa: PLC0415 - as above
    from tallystick.errors import TallystickError  # noqa: PLC0415

    try:
        return Backup(folder, BackupFolder.opened(folder).kept)
    except (TallystickError, OSError) as error:
        return Backup(folder, None, str(error))


def kept_at(head: BackupHead, now: datetime) -> datetime:
    """Return when it was taken, in the zone of `now`."""
    return datetime.fromtimestamp(head.kept_at / 1000, tz=now.tzinfo)
