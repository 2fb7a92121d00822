"""What the single binary runs: the same command line as an installed `tallystick`."""

from __future__ import annotations

from tallystick_server.cli.main import run

if __name__ == "__main__":
    run()
