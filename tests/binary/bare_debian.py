"""A Debian with nothing in it: what debootstrap calls minimal, without Python; made once, under `build/`.

Promises: a program started in it sees none of the machine around but its network and its kernel, has processes of its own, and is ended
with all that it started when the caller ends it.
Needs root (chroot, mounts), debootstrap and unshare.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

RELEASE: Final = "bookworm"
_ENVIRONMENT: Final = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "TERM=xterm-256color",
    "LANG=C.UTF-8",
)


class NotPossible(Exception):
    """This machine, or this user, cannot make or enter it."""


class BareDebian:
    """One such root, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if os.geteuid() != 0:
            raise NotPossible(
                "a bare Debian needs root: chroot and mounts are for root alone; run `sudo make test-binary`"
            )
        for tool in ("debootstrap", "unshare", "chroot"):
            if shutil.which(tool) is None:
                raise NotPossible(f"{tool} is not installed; on Debian and Ubuntu: apt-get install {tool}")
        ready = folder / ".is-whole"
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["debootstrap", "--variant=minbase", RELEASE, str(folder)], check=True)
            ready.touch()

    def command(self, words: Sequence[str], *environment: str) -> list[str]:
        """Return the command line that runs `words` inside."""
        around = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.folder / 'proc'}"]
        return [*around, "chroot", str(self.folder), "/usr/bin/env", "-i", *_ENVIRONMENT, *environment, *words]

    def run(self, *words: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a program inside and return what it said, whatever its exit code."""
        return subprocess.run(
            self.command(words),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )
