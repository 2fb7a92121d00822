"""`tallystick rebuild`: every projection made again from the log, which is the truth."""

from __future__ import annotations

from cyclopts import App

from .asking import Yes, sure
from .directory import ConfigFile, DataDirectory, existing, settings_of
from .terminal import Terminal

app = App(
    name="rebuild",
    help="Drop every projection and make it again from the log.",
    help_epilogue="Examples:\n  tallystick rebuild --data ./tallystick-data\n  tallystick rebuild --data /var/lib/tallystick --yes\n\n"
    "The appliance must not be running. The log itself is only read.",
)


@app.default
def rebuild(*, data: DataDirectory = None, config: ConfigFile = None, yes: Yes = False) -> int:
    """Drop every projection and make it again from the log; interrupted, it is taken up at the next start."""
    from .offline import walk

    directory = existing(settings_of(data, config))
    sure(f"Drop every projection in {directory} and make it again? The log is only read.", yes=yes)
    terminal = Terminal.of_process()
    finding = walk("rebuild", directory, config, terminal)
    for problem in finding.problems:
        terminal.say(problem)
    if finding.problems:
        terminal.note("tallystick: the log is damaged; nothing was made from it past that place")
        return 1
    terminal.say("Every projection was made again from the log.")
    return 0
