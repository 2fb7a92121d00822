"""The program `tallystick`: finds the command, runs it, and turns every ending into an exit code.

Exit codes: 0 done; 1 it failed, with one line on stderr; 2 bad use, with one line on stderr; 130 interrupted; 141 the reader went away.
Commands are imported when they are called, so that `--help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NoReturn, TextIO, cast

from cyclopts import App, CycloptsError, Group, Parameter

from .failure import EXIT_BAD_USE, EXIT_BROKEN_PIPE, EXIT_FAILURE, EXIT_INTERRUPTED, Failure

_EPILOGUE: Final = """Examples:
  tallystick demo
  tallystick serve --data ./tallystick-data
  tallystick tui
  tallystick import usage.csv --set type=api_call --map customer=account
  tallystick usage tokens --from -7d --window day --group-by customer

`tallystick COMMAND --help` shows what a command takes."""

_HERE = __package__ or "tallystick_server.cli"
_RUN = Group("Run", sort_key=1)
_USE = Group("Use", sort_key=2)
_KEEP = Group("Look after", sort_key=3)
_OTHER = Group("Other", sort_key=4)

# name, file, group, help: the help stands here so that the list of commands needs none of the files.
COMMANDS: Final = (
    ("serve", "serve", _RUN, "Run the appliance: HTTP API and jobs over one data directory."),
    ("tui", "tui", _RUN, "Open the dashboard: everything the appliance knows, live, in this terminal."),
    ("demo", "demo", _RUN, "Load real usage into a throw-away appliance and show that every event is counted once."),
    ("import", "import_events", _USE, "Load events from files; running it again counts nothing twice."),
    ("export", "export_events", _USE, "Write raw events to a file that `import` takes back."),
    ("events", "events", _USE, "List, follow, look up and void events."),
    ("usage", "usage", _USE, "Ask a meter how much was used."),
    ("explain", "explain", _USE, "List what a figure was made of, event by event."),
    ("preview", "preview", _USE, "Ask a meter that is not saved what it would have counted."),
    ("statement", "statement", _USE, "State what a customer used, bound to the log, and prove single events."),
    ("reconcile", "reconcile", _USE, "Compare your own list of events with the log, event by event."),
    ("meters", "meters", _USE, "Define, change, preview and archive meters."),
    ("aggregators", "aggregators", _USE, "List what meters can do with events, built in or from a plugin."),
    ("customers", "customers", _USE, "Describe customers, and list those that nobody described."),
    ("signals", "signals", _USE, "Watch figures: define signals, try them on the past, see who is past what."),
    ("channels", "channels", _USE, "Make and try the channels that messages about signals go to."),
    ("deliveries", "deliveries", _USE, "List messages about signals, and send one once more."),
    ("keys", "keys", _KEEP, "Create and delete API keys."),
    ("connections", "connections", _KEEP, "Keep appliances under names, with their keys out of sight."),
    ("quarantine", "quarantine", _KEEP, "Look at refused events, send them again, or discard them."),
    ("status", "status", _KEEP, "Show what a running appliance is doing."),
    ("log", "log", _KEEP, "Show the hash chain: its head, its blocks, and a verification that runs."),
    ("verify", "verify", _KEEP, "Check the hash chain, and every projection against the log."),
    ("backup", "backup", _KEEP, "Copy the log into a folder while the appliance runs."),
    ("restore", "restore", _KEEP, "Make a data directory from a backup."),
    ("rebuild", "rebuild", _KEEP, "Drop every projection and make it again from the log."),
    ("completions", "completions", _OTHER, "Print or install completions for your shell."),
    ("version", "version", _OTHER, "Print the version."),
)


def build_app() -> App:
    """Return the program's commands, none of them imported yet."""
    app = App(
        name="tallystick",
        help="Usage metering in one process and one directory: every event counted once, live, provable.",
        version=_version,
        help_format="plaintext",
        help_epilogue=_EPILOGUE,
        default_parameter=Parameter(negative=(), show_default=_default_worth_showing),
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    app["--help"].group = _OTHER
    app["--version"].group = _OTHER
    for name, module, group, text in COMMANDS:
        app.command(f"{_HERE}.{module}:app", name=name, help=text, group=group)
    app.command(f"{_HERE}.offline_walk:app", name="offline-walk", show=False)
    app.command(f"{_HERE}.outgoing_child:app", name="outgoing-child", show=False)
    return app


def main(tokens: Sequence[str]) -> int:
    """Run one command line and return the exit code."""
    try:
        code = _run_command(tokens)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        code = EXIT_BROKEN_PIPE
    return _flushed(sys.stderr, _flushed(sys.stdout, code))


def _flushed(stream: TextIO, code: int) -> int:
    """Write out what waits in a stream, and return the exit code as it is then."""
    try:
        stream.flush()
    except OSError as error:
        # The interpreter flushes once more when it ends, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            return EXIT_BROKEN_PIPE
        return code or _complain(str(error.strerror or error), EXIT_FAILURE)
    return code


def run() -> NoReturn:
    """Run the command line of this process."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        # One that was closed is as if it led nowhere, also for what is opened next and would get its number.
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))
    sys.stdout, sys.stderr = _made_safe(sys.stdout), _made_safe(sys.stderr)
    sys.exit(main(sys.argv[1:]))


def _made_safe(stream: TextIO) -> TextIO:
    """Return the stream so that whatever is written to it arrives, or fails."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    # A terminal that cannot show a letter gets its code rather than a traceback.
    stream.reconfigure(errors="backslashreplace")
    if not stream.write_through:
        return cast("TextIO", stream)
    # PYTHONUNBUFFERED: without a buffer, what a pipe does not take at once is lost, and nobody told.
    return os.fdopen(stream.fileno(), "w", buffering=1, encoding=stream.encoding, errors=stream.errors, closefd=False)


def _run_command(tokens: Sequence[str]) -> int:
    app = build_app()
    try:
        result = app(list(tokens))
    except CycloptsError as error:
        return _complain(str(error), EXIT_BAD_USE)
    except Failure as failure:
        return _complain(failure.told(_parameters(app, tokens)), failure.exit_code)
    except SystemExit as ended:
        # Rich ends the program by itself, and with 1, where the reader of its tables went away.
        if isinstance(ended.__context__, BrokenPipeError):
            return EXIT_BROKEN_PIPE
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror or error}", EXIT_FAILURE)
    return result if isinstance(result, int) else 0


def _parameters(app: App, tokens: Sequence[str]) -> frozenset[str]:
    """Return what the command that was called takes: its options, and its arguments in capitals."""
    _, path, _ = app.parse_commands(tokens)
    return frozenset(name for argument in path[-1].assemble_argument_collection() for name in argument.names)


def _complain(message: str, exit_code: int) -> int:
    from .printable import printable

    line = " ".join(message.split())
    exit_code = _flushed(sys.stdout, exit_code)
    # A terminal that is gone takes no complaint either; the exit code still tells.
    with suppress(OSError):
        sys.stderr.write(f"tallystick: {printable(line)}\n")
    return exit_code


def _version() -> str:
    from importlib.metadata import version

    return f"tallystick {version('tallystick')}"


def _default_worth_showing(value: object) -> object:
    return None if value in (None, False, (), "") else value
