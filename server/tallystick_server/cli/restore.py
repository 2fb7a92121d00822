"""`tallystick restore`: a data directory made from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from .asking import AsJson
from .directory import ConfigFile, DataDirectory, settings_of
from .failure import Failure
from .terminal import Terminal

app = App(
    name="restore",
    help="Make a data directory from a backup.",
    help_epilogue="Examples:\n  tallystick restore /backups/metering --data /var/lib/tallystick-new\n"
    "  tallystick serve --data /var/lib/tallystick-new\n\n"
    "The target must be new or empty. Every hash is checked, and everything that follows from the log is made again, which takes "
    "about as long as `tallystick rebuild`. Copy the file with the key of channels' secrets too, if you kept one (see channels.md).",
)


@app.default
def restore(
    src: Annotated[Path, Parameter(help="The folder that `tallystick backup` wrote.")],
    /,
    *,
    data: DataDirectory = None,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Restore into a new or an empty directory; what was interrupted is refused by `serve`, and has to be removed first."""
    from .offline import walk

    terminal = Terminal.of_process()
    directory = Path(settings_of(data, config).data)
    finding = walk("restore", directory, config, terminal, backup=src)
    if finding.problems:
        raise Failure("; ".join(finding.problems))
    if json:
        made = {"position": finding.position, "block": finding.blocks, "hash": finding.head_hash}
        terminal.json(msgspec.json.encode({"data": str(directory), **made}))
    else:
        terminal.say(f"{directory} is as the backup was: position {finding.position:,}, block {finding.blocks:,}.")
        terminal.say(f"Head {finding.head_hash}")
        terminal.say(f"Start it with: tallystick serve --data {directory}")
    return 0
