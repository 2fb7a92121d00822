"""`tallystick tui`: the dashboard, in this terminal or in a browser of this machine. See `docs/connections.md`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from .failure import BadUse, Failure
from .kept import ask_for_key, connections_of_user, failures_told
from .terminal import Terminal

if TYPE_CHECKING:
    from tallystick_tui.config.choice import Choice

_PORT: Final = 7071
_PORT_MAX: Final = 65_535

app = App(
    name="tui",
    help="Open the dashboard: everything the appliance knows, live, in this terminal.",
    help_epilogue="Examples:\n  tallystick tui\n  tallystick tui --connection prod\n  tallystick tui --url https://usage.example.com\n"
    "  tallystick tui --serve               # the same in a browser of this machine\n\n"
    "Which appliance: --url, else --connection, else TALLYSTICK_URL, else what `tallystick connections use` says, else http://127.0.0.1:7070.\n"
    "Its key: TALLYSTICK_API_KEY, or what is kept for the connection; else it is asked for.",
)


@app.default
def tui(
    *,
    url: Annotated[str | None, Parameter(help="Address of the appliance.")] = None,
    connection: Annotated[
        str | None, Parameter(help="A connection by its name, as `tallystick connections list` shows it.")
    ] = None,
    api_key: Annotated[
        str | None,
        Parameter(
            help="API key. Warning: what is given here can be read in the shell's history and in the list of processes; "
            "leave it out to be asked, or use TALLYSTICK_API_KEY or `tallystick connections add`."
        ),
    ] = None,
    plain: Annotated[
        bool, Parameter(help="Text that a screen reader can read: no graphs, nothing that moves.")
    ] = False,
    serve: Annotated[bool, Parameter(help="Show it in a browser of this machine instead; prints the address.")] = False,
    port: Annotated[
        int | None, Parameter(help=f"With --serve: the port; 0 takes a free one [default: {_PORT}].")
    ] = None,
) -> int:
    """Open the dashboard, until `q`."""
    if port is not None and not serve:
        raise BadUse("--port belongs to --serve")
    if port is not None and not 0 <= port <= _PORT_MAX:
        raise BadUse(f"--port: give 0 to {_PORT_MAX}")
    in_browser = bool(os.environ.get("TEXTUAL_DRIVER"))
    if not serve and not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadUse("the dashboard needs a terminal; `tallystick tui --serve` shows it in a browser")
    choice = _chosen(url, connection, api_key, can_ask=not in_browser)
    if serve:
        return _serve(choice, plain=plain, port=_PORT if port is None else port)
    from tallystick_tui import collector

    collector.hold()
    from tallystick_tui.config.folder import config_folder
    from tallystick_tui.config.view_state import ViewStateFile
    from tallystick_tui.run import run_dashboard
    from tallystick_tui.viewer import Viewer

    kept = ViewStateFile(config_folder(os.environ), say=Terminal.of_process().note)
    run_dashboard(choice.url, choice.api_key, name=choice.name, viewer=Viewer(is_plain=plain, kept=kept))
    return 0


def _chosen(url: str | None, connection: str | None, api_key: str | None, *, can_ask: bool) -> Choice:
    import msgspec

    from tallystick_tui.config.choice import choose
    from tallystick_tui.config.connections import check_key

    terminal = Terminal.of_process()
    with failures_told():
        choice = choose(connections_of_user(terminal), os.environ, url=url, api_key=api_key, name=connection)
        if choice.api_key is None and can_ask and sys.stdin.isatty():
            choice = msgspec.structs.replace(choice, api_key=ask_for_key(choice.url))
        if choice.api_key is not None:
            check_key(choice.api_key)
    return choice


def _serve(choice: Choice, *, plain: bool, port: int) -> int:
    from tallystick_tui.browser.browser_server import BrowserServer

    from .program import program

    environment = {"TALLYSTICK_URL": choice.url}
    if choice.api_key is not None:
        environment["TALLYSTICK_API_KEY"] = choice.api_key
    words = [*program(), "tui", *(["--plain"] if plain else [])]
    terminal = Terminal.of_process()

    def say(address: str) -> None:
        terminal.say(f"The dashboard of {choice.name or choice.url}, for a browser of this machine: {address}")
        terminal.note("Whoever has this address can do what your key can. Ctrl-C ends it.")

    server = BrowserServer(words, environment, port=port, title=f"Tallystick · {choice.name or choice.url}", say=say)
    try:
        server.run()
    except OSError as error:
        raise Failure(f"port {port}: {error.strerror or error}; give another with --port") from error
    return 0
