"""`python -m tallystick_server`: the command line, where the program is not installed."""

from __future__ import annotations

from tallystick_server.cli.main import run

run()
