"""The test's end of `shim.c`: builds it, and turns its faults on and off while the program runs.

Promises: a rule holds from the moment `set_rule` returns; `matched` and `acted` are what the program's calls have done so far, so that a
test can insist that its fault really happened.
Does not: know what a program makes of it.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from enum import IntEnum, IntFlag
from pathlib import Path
from types import TracebackType
from typing import Final, Self

SOURCE: Final = Path(__file__).with_name("shim.c")
FOREVER: Final = (1 << 64) - 1

_RULE: Final = struct.Struct("<IIiIQQQQ56s")
_RULES: Final = 8
_COUNTS_AT: Final = 32


class Operation(IntFlag):
    """What a rule is about; the values are those of `shim.c`."""

    WRITE = 1
    DURABLE_WRITE = 2
    SYNC = 4
    OPEN_TO_READ = 8
    OPEN_TO_WRITE = 16
    RENAME = 32
    UNLINK = 64
    TRUNCATE = 128
    MAKE_DIRECTORY = 256


CHANGES: Final = (
    Operation.WRITE
    | Operation.OPEN_TO_WRITE
    | Operation.RENAME
    | Operation.UNLINK
    | Operation.TRUNCATE
    | Operation.MAKE_DIRECTORY
)


class Action(IntEnum):
    """What a rule does; `argument` is an errno for FAIL and milliseconds for SLEEP."""

    FAIL = 1
    HALF = 2
    TORN = 3
    KILL_BEFORE = 4
    KILL_AFTER = 5
    SLEEP = 6


class Rules:
    """The rules of one program, in a file that it maps too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(_RULE.size * _RULES))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shared.close()

    def set_rule(
        self,
        operations: Operation,
        action: Action,
        argument: int = 0,
        *,
        first: int = 1,
        last: int = FOREVER,
        part: str = "",
        place: int = 0,
    ) -> None:
        """Act on the matching calls number `first` to `last` from now on; `part` is what their path contains, `place` which rule it is."""
        self.clear(place)
        at = place * _RULE.size
        packed = _RULE.pack(operations, action, argument, 0, first, last, 0, 0, part.encode())
        self._shared[at + 4 : at + _RULE.size] = packed[4:]
        # The operations last: they are what makes the rule hold.
        self._shared[at : at + 4] = packed[:4]

    def clear(self, place: int = 0) -> None:
        """Let the program be; the counts stay until the next rule."""
        at = place * _RULE.size
        self._shared[at : at + 4] = bytes(4)

    def matched(self, place: int = 0) -> int:
        """How many calls the rule looked at."""
        return self._count(place, 0)

    def acted(self, place: int = 0) -> int:
        """How many calls the rule disturbed."""
        return self._count(place, 8)

    def _count(self, place: int, which: int) -> int:
        at = place * _RULE.size + _COUNTS_AT + which
        return int.from_bytes(self._shared[at : at + 8], "little")


class FaultShim:
    """The compiled shim."""

    def __init__(self, library: Path) -> None:
        self._library = library

    @classmethod
    def compiled(cls, folder: Path) -> Self:
        """Compile it into the folder. Raises `FileNotFoundError` where there is no C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise FileNotFoundError("no C compiler")
        library = folder / "shim.so"
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"], check=True
        )
        return cls(library)

    def environment(
        self,
        directory: Path,
        *,
        rules: Rules | None = None,
        trace: Path | None = None,
        witness: Path | None = None,
    ) -> dict[str, str]:
        """Return the variables under which a program finds its files below `directory` disturbed, or recorded."""
        chosen = {
            "LD_PRELOAD": str(self._library),
            "FAULT_SHIM_DIRECTORY": str(directory.resolve()),
            "FAULT_SHIM_CONTROL": None if rules is None else str(rules.path),
            "FAULT_SHIM_TRACE": None if trace is None else str(trace),
            "FAULT_SHIM_WITNESS": None if witness is None else str(witness.resolve()),
        }
        return {name: value for name, value in chosen.items() if value is not None}
