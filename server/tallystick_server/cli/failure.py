"""How a command ends badly: one clear line on stderr and an exit code that scripts can trust."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

EXIT_FAILURE: Final = 1
EXIT_BAD_USE: Final = 2
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells count
EXIT_BROKEN_PIPE: Final = 141  # 128 + SIGPIPE: what a reader that went away does to any other program


class Failure(Exception):
    """The command could not do what was asked; the message is the whole line that a person reads."""

    exit_code = EXIT_FAILURE

    def told(self, _parameters: Collection[str]) -> str:
        """Return the line for whoever called a command that takes these parameters, `--from` and `KEY` among them."""
        return str(self)


class NoAppliance(Failure):
    """What answers at the address is something else: the answer cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"the answer is not one of a tallystick appliance ({error}); check --url")


class BadUse(Failure):
    """The command was called in a way that cannot mean anything; nothing was done."""

    exit_code = EXIT_BAD_USE
