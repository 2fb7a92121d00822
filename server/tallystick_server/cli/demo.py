"""`tallystick demo`: real usage, counted in front of you. Documented in `docs/demo.md`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from .failure import BadUse
from .terminal import Terminal

app = App(
    name="demo",
    help="Load real usage into a throw-away appliance and show that every event is counted once.",
    help_epilogue="Examples:\n  tallystick demo\n  tallystick demo --no-tui\n"
    "  tallystick demo --crash              # kill -9 in the middle of the replay\n"
    "  tallystick demo --no-tui --keep --speed 200\n\n"
    "Exit 0: every figure is the published one, and the log verifies. Exit 1: something differs.",
)


@app.default
def demo(
    *,
    no_tui: Annotated[
        bool, Parameter(help="Print and end; do not open the dashboard. So it is without a terminal, too.")
    ] = False,
    crash: Annotated[
        bool, Parameter(help="Kill the appliance with -9 in the middle of the replay, and start it again.")
    ] = False,
    keep: Annotated[bool, Parameter(help="Leave the appliance running, with its data.")] = False,
    speed: Annotated[
        float | None,
        Parameter(
            help="How many times as fast the last 15 minutes are replayed [default: 15 beside the dashboard, else 45]."
        ),
    ] = None,
) -> int:
    """Load 45 minutes of real usage, replay 15 more while the dashboard shows it, and print what was counted beside what was published."""
    if speed is not None and not 1 <= speed <= 1_000_000:  # noqa: PLR2004 - as it happened, or at once
        raise BadUse("--speed: give 1 to 1000000")

    import sys

    from tallystick_server.demo.demonstration import Demonstration, DemoOptions
    from tallystick_server.present import SystemClock

    # Nobody is there to close a dashboard where there is no terminal.
    is_watched = not no_tui and sys.stdin.isatty() and sys.stdout.isatty()
    # For a person also where it is piped: nobody reads a demonstration by column.
    terminal = Terminal(sys.stdout, sys.stderr, for_person=True)
    return Demonstration(
        terminal, SystemClock(), DemoOptions(speed=speed, dashboard=is_watched, keep=keep, crash=crash)
    ).run()
