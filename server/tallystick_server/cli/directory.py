"""What is read: a data directory, with the settings of the engine that `serve` would take, or an appliance that is asked instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from .connection import Connection
from .failure import BadUse, Failure

if TYPE_CHECKING:
    from tallystick_server.settings import Settings

DataDirectory = Annotated[
    Path | None, Parameter(name="--data", help="The data directory [default: ./tallystick-data].")
]
ConfigFile = Annotated[
    Path | None, Parameter(name="--config", env_var="TALLYSTICK_CONFIG", help="The appliance's TOML file.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class Asked:
    """The appliance to ask; without an address or a name, none is asked."""

    url: Annotated[str | None, Parameter(help="Ask the appliance at this address instead of reading a directory.")] = (
        None
    )
    kept_name: Annotated[
        str | None,
        Parameter(name="--connection", help="Ask the one that `tallystick connections` keeps under this name."),
    ] = None
    api_key: Annotated[
        str | None, Parameter(help="Admin key of the appliance that is asked. [env var: TALLYSTICK_API_KEY]")
    ] = None

    def connection(self, *, data: Path | None) -> Connection | None:
        """Return where to ask, None where a directory is read. Raises `BadUse` where both are named."""
        named = "--url" if self.url is not None else "--connection" if self.kept_name is not None else None
        if named is None:
            return None
        if data is not None:
            raise BadUse(f"{named} and --data name two things: give one of them")
        return Connection(self.url, self.kept_name, self.api_key)


NOBODY_ASKED: Final = Asked()


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
