"""What one would build without Tallystick: the same requests written into PostgreSQL by one statement each, behind Litestar and asyncpg.

`INSERT ... SELECT unnest ... ON CONFLICT DO NOTHING` is the fastest way to write and deduplicate a batch there; properties go over as
the bytes that came in, and PostgreSQL parses them into `jsonb`. Started as `python -m tests.bench.postgresql_ingest PORT DSN POOL`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import msgspec
from litestar import Litestar, Request, post
from litestar.datastructures import State

from tests.bench.decode_discard import serve

asyncpg: Any = import_module("asyncpg")  # Any: it has no types

TABLE = """
create table if not exists events (
    source text not null, id text not null, type text not null, customer text not null,
    time timestamptz not null, value numeric(38, 12) not null, properties jsonb not null,
    primary key (source, id)
)
"""
INSERT = """
insert into events (source, id, type, customer, time, value, properties)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::numeric[], $7::jsonb[])
on conflict do nothing
"""


class SentEvent(msgspec.Struct, gc=False):
    """An event as a sender writes it; `properties` stay bytes, since PostgreSQL parses them itself."""

    id: str
    type: str
    customer: str
    time: datetime
    value: Decimal
    properties: msgspec.Raw
    source: str = ""


EVENTS = msgspec.json.Decoder(list[SentEvent])


@post("/v1/events", status_code=200)
async def insert(request: Request[None, None, State], state: State) -> dict[str, int]:
    """Answer once PostgreSQL has committed, which is after its fsync."""
    events = EVENTS.decode(await request.body())
    status = await state.pool.execute(
        INSERT,
        [event.source for event in events],
        [event.id for event in events],
        [event.type for event in events],
        [event.customer for event in events],
        [event.time for event in events],
        [event.value for event in events],
        [bytes(event.properties).decode() for event in events],
    )
    accepted = int(status.rsplit(" ", 1)[1])
    return {"accepted": accepted, "duplicates": len(events) - accepted}


def app(dsn: str, *, pool_size: int) -> Litestar:
    """Return the application; the table is made when it starts."""

    @asynccontextmanager
    async def connected(application: Litestar) -> AsyncGenerator[None]:
        async with asyncpg.create_pool(dsn, min_size=pool_size, max_size=pool_size) as pool:
            await pool.execute(TABLE)
            application.state.pool = pool
            yield

    return Litestar([insert], lifespan=[connected], openapi_config=None, request_max_body_size=16 * 1024 * 1024)


if __name__ == "__main__":
    serve(app(sys.argv[2], pool_size=int(sys.argv[3])), port=int(sys.argv[1]))
