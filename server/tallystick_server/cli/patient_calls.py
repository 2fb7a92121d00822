"""Calls that change nothing, asked again while the appliance is busy or away."""

from __future__ import annotations

from .client import ApplianceClient, Params
from .patience import Patience, RealPauses
from .terminal import Terminal


class PatientCalls:
    """Asks until an answer comes, or `give_up_after_s` went by without one."""

    def __init__(self, client: ApplianceClient, terminal: Terminal, *, give_up_after_s: float) -> None:
        self._client = client
        self._patience = Patience(
            RealPauses(),
            give_up_after_s=give_up_after_s,
            on_wait=lambda reason: terminal.note(f"waiting: {reason}; trying again"),
        )

    def get(self, path: str, params: Params = ()) -> bytes:
        """Return the body of `GET path`. Raises `Refused`, `Failure`."""
        return self._call("GET", path, params, content=None)

    def post_lines(self, path: str, lines: bytes, params: Params) -> bytes:
        """Return what a question with a body of lines is answered. Raises as `get`."""
        return self._call("POST", path, params, content=lines)

    def _call(self, method: str, path: str, params: Params, *, content: bytes | None) -> bytes:
        headers = {} if content is None else {"Content-Type": "application/x-ndjson"}
        return self._patience.ask(
            lambda timeout_s: self._client.call(
                method, path, params=params, content=content, headers=headers, timeout_s=timeout_s
            )
        )
