"""`tallystick backup`: a copy of the log, taken while the appliance runs; taken again into the same folder, only what came since."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from .asked_appliance import NOBODY, AskedAppliance
from .asking import AsJson
from .directory import ConfigFile, DataDirectory, existing, settings_of
from .failure import Failure
from .terminal import Terminal, show_progress

if TYPE_CHECKING:
    from tallystick.log_head import LogHead

    from .client import ApplianceClient
    from .offline_walk import Finding

app = App(
    name="backup",
    help="Copy the log of an appliance into a folder, while it runs.",
    help_epilogue="Examples:\n  tallystick backup /backups/metering --data /var/lib/tallystick\n"
    "  tallystick backup ./metering --connection prod    # from elsewhere\n"
    "  tallystick backup /backups/metering --check        # is it what was written?\n\n"
    "Again into the same folder: only what came since is copied. All figures follow from the log, so nothing else is needed; "
    "the key that channels' secrets are sealed with is left out. `tallystick restore` makes a data directory of it.",
)


@app.default
def backup(
    dest: Annotated[Path, Parameter(help="The folder; new, empty, or with an earlier backup of the same appliance.")],
    /,
    *,
    data: DataDirectory = None,
    config: ConfigFile = None,
    asked: AskedAppliance = NOBODY,
    check: Annotated[
        bool, Parameter(help="Add nothing: check that each block in the folder is what was written.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Copy what the folder does not have yet; interrupted, the next one goes on where this one was."""
    appliance = asked.connection(data=data)
    terminal = Terminal.of_process()
    if check:
        from .check_backup import check_backup

        finding = check_backup(dest, terminal)
    elif appliance is not None:
        with appliance.client() as client:
            finding = _asked(client, dest, terminal)
    else:
        from .offline import walk

        finding = walk("backup", existing(settings_of(data, config)), config, terminal, backup=dest)
    if finding.problems:
        # Exit 1 as `verify` has it, and the place for scripts.
        if json:
            terminal.json(msgspec.json.encode({"ok": False, "first_bad_position": finding.first_bad_position}))
        raise Failure("; ".join(finding.problems))
    if json:
        kept = {"position": finding.position, "block": finding.blocks, "hash": finding.head_hash}
        terminal.json(msgspec.json.encode({"ok": True, "folder": str(dest), **kept}))
    else:
        terminal.say(
            f"{dest} {'is what was written' if check else 'has everything'} up to position {finding.position:,}, block {finding.blocks:,}."
        )
        terminal.say(f"Head {finding.head_hash}")
    return 0


def _asked(client: ApplianceClient, dest: Path, terminal: Terminal) -> Finding:
    from tallystick.backup.backup_folder import BackupFolder
    from tallystick.backup.take_backup import take_backup
    from tallystick.errors import TallystickError
    from tallystick_server.present import SystemClock

    from .offline_walk import Finding

    with terminal.progress() as bar:
        try:
            with BackupFolder.adding(dest) as folder:
                kept = take_backup(folder, AskedLog(client), partial(show_progress, bar), clock=SystemClock())
        except TallystickError as error:
            raise Failure(str(error)) from error
    return Finding(position=kept.position, blocks=kept.block, head_hash=kept.hash)


class _Head(msgspec.Struct, frozen=True):
    position: int
    block: int
    hash: str


class AskedLog:
    """The log of an appliance that is asked by HTTP."""

    def __init__(self, client: ApplianceClient) -> None:
        self._client = client

    def log_head(self) -> LogHead:
        """Return where it ends now. Raises `Failure`."""
        from tallystick.event import Position
        from tallystick.log_head import LogHead

        from .client import decode

        head = decode(self._client.get("/v1/log/head"), _Head)
        return LogHead(position=Position(head.position), block=head.block, hash=bytes.fromhex(head.hash))

    def stored_blocks(self, *, after: int) -> list[bytes]:
        """Return the blocks of one answer. Raises `Failure`."""
        from tallystick.backup.block_frames import CutFrame, unframed

        try:
            return list(unframed(self._client.get("/v1/log/copy", [("after", str(after))])))
        except CutFrame as error:
            raise Failure(f"the appliance's answer ended early: {error}") from error
