"""The appliance that a command asks in place of reading a data directory, if it is given one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from .connection import Connection
from .failure import BadUse


@Parameter(name="*")
@dataclass(frozen=True)
class AskedAppliance:
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


NOBODY: Final = AskedAppliance()
