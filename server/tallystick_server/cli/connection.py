"""Which appliance a command talks to, and with which key: the two options that every such command has."""

from __future__ import annotations

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
    """Where the appliance is; both can come from the environment, which keeps the key out of the shell's history."""

    url: Annotated[str, Parameter(env_var="TALLYSTICK_URL", help="Address of the appliance.")] = DEFAULT_URL
    api_key: Annotated[
        str | None, Parameter(env_var="TALLYSTICK_API_KEY", help="API key with the scope that the command needs.")
    ] = None

    def client(self) -> ApplianceClient:
        """Return a client; httpx is imported here, so that `--help` does not wait for it."""
        from .client import ApplianceClient

        return ApplianceClient(self.url, self.api_key)


LOCAL: Final = Connection()
