"""`tallystick serve`: the appliance itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from .failure import BadUse, Failure

app = App(
    name="serve",
    help="Run the appliance: HTTP API and jobs over one data directory.",
    help_epilogue="Examples:\n  tallystick serve\n  tallystick serve --data /var/lib/tallystick --host 0.0.0.0 --port 7070\n"
    "  TALLYSTICK_ADMIN_KEY=$(openssl rand -hex 32) tallystick serve \\\n"
    "      --config /etc/tallystick.toml\n\n"
    "Settings come from the file, TALLYSTICK_* variables over it, and these options over both; docs/settings.md lists them.",
)


@app.default
def serve(
    *,
    data: Annotated[Path | None, Parameter(help="The data directory [default: ./tallystick-data].")] = None,
    host: Annotated[str | None, Parameter(help="The address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, Parameter(help="The port; 0 takes a free one [default: 7070].")] = None,
    config: Annotated[Path | None, Parameter(env_var="TALLYSTICK_CONFIG", help="A TOML file with settings.")] = None,
) -> int:
    """Run the appliance until SIGTERM or Ctrl-C; what was taken is answered or refused before it ends."""
    import os

    from tallystick.errors import TallystickError
    from tallystick_server.settings import InvalidSettings, load_settings

    try:
        settings = load_settings(config, os.environ, {"data": data, "host": host, "port": port})
    except InvalidSettings as error:
        raise BadUse(str(error)) from error

    from tallystick_server.serve import serve as run_appliance

    try:
        return run_appliance(settings)
    except TallystickError as error:
        raise Failure(str(error)) from error
