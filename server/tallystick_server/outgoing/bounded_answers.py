"""Bounds for what Apprise's plugins read of an answer: 1 MiB and ten seconds, whatever the receiver sends. For the outgoing child alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

ANSWER_BYTES_MAX = 1024 * 1024
_PIECE_BYTES = 64 * 1024


def bound_answers(*, seconds: float) -> None:
    """Read every answer of `requests` here, as far as the bounds allow, before a plugin gets to see it."""
    unbounded: Callable[..., requests.Response] = HTTPAdapter.send

    def send(
        self: HTTPAdapter, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:  # Any: as requests has it
        ends_at = time.monotonic() + seconds
        response = unbounded(self, request, **(options | {"proxies": {}}))
        found = bytearray()
        for piece in response.raw.stream(_PIECE_BYTES, decode_content=True):
            found += piece
            if len(found) >= ANSWER_BYTES_MAX or time.monotonic() > ends_at:
                response.close()
                break
        response._content = bytes(found[:ANSWER_BYTES_MAX])  # pyright: ignore[reportPrivateUsage] # noqa: SLF001
        return response

    HTTPAdapter.send = send  # type: ignore[method-assign]
