"""What is kept for the user of the commands: connections and their keys, with every failure as one clear line."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .failure import BadUse, Failure

if TYPE_CHECKING:
    from tallystick_tui.config.connections import Connections

    from .terminal import Terminal


def connections_of_user(terminal: Terminal) -> Connections:
    """Return the connections in the user's config folder; what is found and mended there is said on stderr."""
    from tallystick_tui.config.connections import Connections
    from tallystick_tui.config.folder import config_folder

    return Connections(config_folder(os.environ), say=terminal.note)


def kept_connection(name: str, *, url: str | None, api_key: str | None) -> tuple[str, str | None]:
    """Return address and key of a connection; a key that is given beats the one that is kept. Raises `BadUse` where a URL is given too."""
    from tallystick_tui.config.choice import choose

    from .terminal import Terminal

    if not name:
        # An empty variable of a script must not mean the one that was chosen for the dashboard.
        raise BadUse("--connection: give the name of a connection")
    with failures_told():
        connections = connections_of_user(Terminal.of_process())
        choice = choose(connections, os.environ, url=url, api_key=api_key, name=name)
    return choice.url, choice.api_key


@contextmanager
def failures_told() -> Generator[None]:
    """Turn what the config folder refuses into the line and the exit code of a command."""
    from tallystick_tui.config.failure import ConfigFailure, NoSuchConnection, WrongConnection

    try:
        yield
    except (WrongConnection, NoSuchConnection) as error:
        raise BadUse(str(error)) from error
    except ConfigFailure as error:
        raise Failure(str(error)) from error


def ask_for_key(url: str) -> str | None:
    """Ask for a key on the terminal without showing it; None for none. Raises `BadUse` where nobody can answer."""
    import getpass
    import sys

    if not sys.stdin.isatty():
        raise BadUse(
            "there is no terminal to ask for the API key on; set TALLYSTICK_API_KEY, or give --key-stdin and the key on stdin"
        )
    try:
        return getpass.getpass(f"API key for {url} (not shown; empty for none): ").strip() or None
    except EOFError:
        return None
