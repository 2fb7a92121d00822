"""Named places between two steps on disk where a test can make the program crash, fail or wait.

Promises: when nothing is armed, `hit` costs one look at a global that is None.
Does not: exist for users. `TALLYSTICK_FAILPOINTS="log.committed=kill:3,checkpoint.manifest=raise"` arms a child process;
`arm` arms this one. A name that no code hits is an error in the test, which `was_reached` shows.
Source of the idea: `fail_point!` of TiKV and etcd's gofail.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

ENVIRONMENT_VARIABLE = "TALLYSTICK_FAILPOINTS"

_armed: dict[str, Callable[[], None]] | None = None
_reached: set[str] = set()


class FailpointHit(OSError):
    """The failure that an armed failpoint raises: an `OSError`, since it stands for a disk that failed."""


class CrashedHere(BaseException):
    """A crash within a test's own process: no handler of ours catches it, as none would run after SIGKILL."""


def hit(name: str) -> None:
    """Do what is armed under the name; nothing in production."""
    if _armed is not None and (act := _armed.get(name)) is not None:
        _reached.add(name)
        act()


def was_reached(name: str) -> bool:
    """Whether an armed failpoint was hit since it was armed."""
    return name in _reached


@contextmanager
def armed(name: str, act: Callable[[], None]) -> Generator[None]:
    """Arm one failpoint for the length of a `with`."""
    global _armed  # noqa: PLW0603 - one global is what makes a disarmed failpoint free
    before = _armed
    _reached.discard(name)
    _armed = {**(before or {}), name: act}
    try:
        yield
    finally:
        _armed = before


def crash() -> None:
    """Raise what no handler catches; the test then drops the engine and opens its directory anew."""
    raise CrashedHere


def fail() -> None:
    """Fail as a disk does."""
    raise FailpointHit("a failpoint failed this write")


def kill() -> None:
    """End the process as a power switch would end it for the kernel's other processes: no handler, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(count: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return an act that does nothing until it was reached that often (1 = at once), then does it once."""
    seen = 0

    def counted() -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            act()

    return counted


def arm_from_environment() -> None:
    """Arm what `TALLYSTICK_FAILPOINTS` names: `name=kill|raise[:N]`, comma-separated. Raises `ValueError` on a bad entry."""
    global _armed  # noqa: PLW0603 - as above
    text = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not text:
        return
    acts: dict[str, Callable[[], None]] = {}
    for entry in text.split(","):
        name, _, action = entry.strip().partition("=")
        verb, _, count = action.partition(":")
        if verb not in {"kill", "raise"}:
            raise ValueError(f"{ENVIRONMENT_VARIABLE}: {entry!r} is not name=kill[:N] or name=raise[:N]")
        acts[name] = after(int(count or 1), kill if verb == "kill" else fail)
    _armed = acts
