"""Calls that change nothing, asked again while the appliance is busy or away."""

from __future__ import annotations

import time
from typing import Final

from .client import ApplianceClient, Params, Refused, Unreachable
from .failure import Failure
from .terminal import Terminal

_AGAIN: Final = frozenset({408, 429, 502, 503, 504})
_PAUSE_FIRST_S: Final = 0.25
_PAUSE_MAX_S: Final = 10.0


class PatientCalls:
    """Asks until an answer comes, or `give_up_after_s` went by without one."""

    def __init__(self, client: ApplianceClient, terminal: Terminal, *, give_up_after_s: float) -> None:
        self._client, self._terminal, self._give_up_after_s = client, terminal, give_up_after_s

    def get(self, path: str, params: Params = ()) -> bytes:
        """Return the body of `GET path`. Raises `Refused`, `Failure`."""
        return self._call("GET", path, params, content=None)

    def post_lines(self, path: str, lines: bytes, params: Params) -> bytes:
        """Return what a question with a body of lines is answered. Raises as `get`."""
        return self._call("POST", path, params, content=lines)

    def _call(self, method: str, path: str, params: Params, *, content: bytes | None) -> bytes:
        headers = {} if content is None else {"Content-Type": "application/x-ndjson"}
        started_s, pause_s = time.monotonic(), _PAUSE_FIRST_S
        while True:
            try:
                return self._client.call(method, path, params=params, content=content, headers=headers)
            except Unreachable as error:
                reason, asked_s = str(error), None
            except Refused as refused:
                if refused.status not in _AGAIN:
                    raise
                reason, asked_s = str(refused), refused.retry_after_s
            waited_s = time.monotonic() - started_s
            if waited_s >= self._give_up_after_s:
                raise Failure(f"gave up after {waited_s:.0f} s: {reason}")
            self._terminal.note(f"waiting: {reason}; trying again")
            time.sleep(pause_s if asked_s is None else min(asked_s, 60.0))
            pause_s = min(pause_s * 2, _PAUSE_MAX_S)
