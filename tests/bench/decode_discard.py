"""The yardstick for overhead: a Litestar route that decodes a request into typed events and throws them away.

It does nothing else: no identity, no check beyond types, no disk. `once` decodes the body's bytes straight into structs, which is as
fast as this framework and this decoder go in one process. `twice` is the route as Litestar's guide writes it: a `data` argument, for
which the framework decodes into plain objects first and converts those; on large batches that halves the rate.
Started as `python -m tests.bench.decode_discard PORT once|twice`.
"""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal

import msgspec
import uvicorn
from litestar import Litestar, Request, post
from litestar.datastructures import State


class SentEvent(msgspec.Struct, gc=False):
    """An event as a sender writes it, with types that keep it exact."""

    id: str
    type: str
    customer: str
    time: datetime
    value: Decimal
    properties: dict[str, str | int | float | bool]


EVENTS = msgspec.json.Decoder(list[SentEvent])


@post("/v1/events", status_code=200)
async def discard_once(request: Request[None, None, State]) -> dict[str, int]:
    """Decode the bytes of the body."""
    return {"accepted": len(EVENTS.decode(await request.body()))}


@post("/v1/events", status_code=200)
async def discard_twice(data: list[SentEvent]) -> dict[str, int]:
    """Have Litestar decode."""
    return {"accepted": len(data)}


def serve(app: Litestar, *, port: int) -> None:
    """Serve as the appliance is served: one process, uvloop, httptools, no access log."""
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    route = {"once": discard_once, "twice": discard_twice}[sys.argv[2]]
    serve(Litestar([route], openapi_config=None, request_max_body_size=16 * 1024 * 1024), port=int(sys.argv[1]))
