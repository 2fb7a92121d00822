"""Which data directory an offline command works on, and with which of the engine's settings: those that `serve` would take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from .failure import BadUse, Failure

if TYPE_CHECKING:
    from tallystick_server.settings import Settings

DataDirectory = Annotated[
    Path | None, Parameter(name="--data", help="The data directory [default: ./tallystick-data].")
]
ConfigFile = Annotated[
    Path | None, Parameter(name="--config", env_var="TALLYSTICK_CONFIG", help="The appliance's TOML file.")
]

AskedUrl = Annotated[str | None, Parameter(help="Ask the appliance at this address instead of reading a directory.")]
AdminKey = Annotated[str | None, Parameter(env_var="TALLYSTICK_API_KEY", help="Admin key, with --url.")]


def settings_of(data: Path | None, config: Path | None) -> Settings:
    """Return the settings of file, environment and options, as `serve` reads them. Raises `BadUse`."""
    import os

    from tallystick_server.settings import InvalidSettings, load_settings

    try:
        return load_settings(config, os.environ, {"data": data})
    except InvalidSettings as error:
        raise BadUse(str(error)) from error


def existing(settings: Settings) -> Path:
    """Return the data directory, or raise `Failure`: an offline command never makes one."""
    directory = Path(settings.data)
    if not directory.is_dir():
        raise Failure(f"{directory}: there is no such directory; name the data directory with --data")
    return directory


def one_of(*, url: str | None, data: Path | None) -> None:
    """Raise `BadUse` where both an appliance and a directory are named."""
    if url is not None and data is not None:
        raise BadUse("--url and --data name two things: give one of them")
