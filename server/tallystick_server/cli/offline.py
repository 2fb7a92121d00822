"""Runs an offline walk in a child process, with its progress on a bar, and reads how it ended."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from pathlib import Path

import msgspec

from .failure import Failure
from .offline_walk import Finding, Message, Refusal, Step, Work
from .program import program
from .terminal import Terminal, show_progress


def walk(
    work: Work, directory: Path, config: Path | None, terminal: Terminal, *, backup: Path | None = None
) -> Finding:
    """Return what the walk found; a child that a signal ended was ended by a damaged file. Raises `Failure`."""
    command = [*program(), "offline-walk", work, str(directory.resolve())]
    if config is not None:
        command += ["--config", str(config)]
    if backup is not None:
        command += ["--backup", str(backup.resolve())]
    last: Message | None = None
    reached: Step | None = None
    # Its stderr goes to a file: a pipe that nobody reads meanwhile could fill up, and stop it.
    with tempfile.TemporaryFile() as errors_file, terminal.progress() as bar:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors_file)  # noqa: S603 - our own program
        with child:
            try:
                for line in child.stdout or ():
                    last = msgspec.json.decode(line, type=Message)
                    if isinstance(last, Step):
                        reached = last
                        show_progress(bar, last)
            except BaseException:
                child.kill()
                raise
        errors_file.seek(0)
        errors = errors_file.read().decode("utf-8", "replace")
    match last:
        case Finding():
            return last
        case Refusal(is_in_use=True):
            raise Failure(last.detail + _instead(work))
        case Refusal():
            raise Failure(last.detail)
        case _:
            return _ended(child.returncode, reached, errors)


def _instead(work: Work) -> str:
    return "; or give --url to have the running appliance do it" if work == "verify" else ""


def _ended(code: int, reached: Step | None, errors: str) -> Finding:
    if code < 0 and -code in {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}:
        where = f" at position {reached.done} or later ({reached.step})" if reached else ""
        problem = (
            f"reading the files ended the process with {signal.Signals(-code).name}{where}: they are damaged or cut; "
            "restore from a backup"
        )
        return Finding(first_bad_position=reached.done if reached else 0, problems=[problem])
    last_words = errors.strip().splitlines()[-1:] or [f"exit code {code}"]
    raise Failure(f"the walk ended before its time: {last_words[0]}")
