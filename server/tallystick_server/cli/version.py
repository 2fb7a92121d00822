"""`tallystick version`: which version this is, and on what it runs."""

from __future__ import annotations

from cyclopts import App

from .asking import AsJson
from .terminal import Terminal

app = App(
    name="version",
    help="Print the version.",
    help_epilogue="Examples:\n  tallystick version\n  tallystick version --json",
)


@app.default
def version(*, json: AsJson = False) -> int:
    """Print the version."""
    import platform
    from importlib.metadata import version as version_of

    import msgspec

    terminal = Terminal.of_process()
    if json:
        found = {"version": version_of("tallystick"), "python": platform.python_version()}
        terminal.json(msgspec.json.encode(found))
    else:
        terminal.say(f"tallystick {version_of('tallystick')}")
    return 0
