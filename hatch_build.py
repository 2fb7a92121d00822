"""Compiles the library of `core/tallystick/native` when Tallystick is installed or a wheel is made.

Promises: needs a C compiler and libc's headers, nothing else, and no network. Where there is none (or it fails), it says so and the
installation goes on without: everything works in Python, slower. `TALLYSTICK_NATIVE=0` leaves it out on purpose.
The library uses nothing of Python, so one wheel serves every version of Python on a platform.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("core/tallystick/native")
FILE_NAME = "libtallystick.so"
FLAGS = ("-O3", "-std=c11", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")


class NativeBuildHook(BuildHookInterface[Any]):
    """Called by hatchling before it puts a wheel, or an editable installation, together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # Any: hatchling's
        """Compile the library and name it to the wheel."""
        del version
        if self.target_name != "wheel":
            return
        made = compile_library(Path(self.root) / FOLDER)
        if made is None:
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["artifacts"].append(str(FOLDER / FILE_NAME))


def compile_library(folder: Path) -> Path | None:
    """Return the compiled library, or None, with a line that says why, where it cannot be had."""
    compiler = shlex.split(os.environ.get("CC", "")) or [shutil.which("cc") or shutil.which("gcc") or ""]
    if os.environ.get("TALLYSTICK_NATIVE") == "0" or not compiler[0]:
        print(
            "tallystick: no C compiler (cc): installed without the compiled columns, which is slower", file=sys.stderr
        )
        return None
    made, temporary = folder / FILE_NAME, folder / f"{FILE_NAME}.{os.getpid()}.tmp"
    sources = sorted(str(source) for source in folder.glob("*.c"))
    try:
        subprocess.run([*compiler, *FLAGS, "-o", str(temporary), *sources], check=True)
        # Renamed, so that a process that has the old one open keeps it whole.
        temporary.replace(made)
    except (OSError, subprocess.CalledProcessError) as error:
        temporary.unlink(missing_ok=True)
        print(f"tallystick: {error}: installed without the compiled columns, which is slower", file=sys.stderr)
        return None
    return made


if __name__ == "__main__":
    sys.exit(compile_library(Path(__file__).parent / FOLDER) is None)
