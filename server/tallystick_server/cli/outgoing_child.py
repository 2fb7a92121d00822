"""The process that speaks to Apprise and fills in templates for an appliance. Not for people; hidden from the list of commands."""

from __future__ import annotations

from cyclopts import App

app = App(name="outgoing-child", help="Used by `serve`.", help_epilogue="Examples:\n  tallystick serve")


@app.default
def outgoing_child() -> int:
    """Answer what the appliance asks on stdin, until it ends."""
    from tallystick_server.outgoing.child import main

    main()
    return 0
