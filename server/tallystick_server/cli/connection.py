"""Which appliance a command talks to, and with which key: the options that every such command has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Group, Parameter

if TYPE_CHECKING:
    from .client import ApplianceClient

DEFAULT_URL: Final = "http://127.0.0.1:7070"

_GROUP = Group("Connection", sort_key=90)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class Connection:
    """Where the appliance is; all can come from outside the command line, which keeps the key out of the shell's history."""

    # The environment is read below rather than by the parser, since a name beats TALLYSTICK_URL and excludes --url.
    url: Annotated[
        str | None,
        Parameter(help=f"Address of the appliance. [env var: TALLYSTICK_URL] [default: {DEFAULT_URL}]"),
    ] = None
    kept_name: Annotated[
        str | None,
        Parameter(
            name="--connection", help="An appliance that `tallystick connections` keeps, by its name, with its key."
        ),
    ] = None
    api_key: Annotated[
        str | None,
        Parameter(help="API key with the scope that the command needs. [env var: TALLYSTICK_API_KEY]"),
    ] = None

    def client(self) -> ApplianceClient:
        """Return a client; httpx is imported here, so that `--help` does not wait for it. Raises `BadUse`, `Failure`."""
        from .client import ApplianceClient

        if self.kept_name is not None:
            from .kept import kept_connection

            return ApplianceClient(*kept_connection(self.kept_name, url=self.url, api_key=self.api_key))
        url = os.environ.get("TALLYSTICK_URL") or DEFAULT_URL if self.url is None else self.url
        api_key = os.environ.get("TALLYSTICK_API_KEY") if self.api_key is None else self.api_key
        return ApplianceClient(url, api_key)


LOCAL: Final = Connection()
