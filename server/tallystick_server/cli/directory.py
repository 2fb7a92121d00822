"""The data directory that an offline command reads, with the settings of the engine that `serve` would take."""

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
