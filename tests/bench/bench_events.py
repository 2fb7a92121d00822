"""The events that every figure is measured with: about 177 bytes of JSON each, ids that cannot be guessed or compressed.

Ids are 24 hexadecimal digits of a seeded generator: like the object ids and random UUIDs that senders use, they arrive in no order,
which is the worst case for an index. Bodies are templates: a generator of load writes fresh ids over those in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

CUSTOMERS = 1_000
REGIONS = ("eu", "us", "ap", "sa")
MODELS = ("large", "small", "embed")
FIRST_TIME = datetime(2026, 11, 1, tzinfo=UTC)
SPAN_MS = 3_600_000  # usage is sent about when it happens, so a run's events lie within an hour


def event_json(random: Random, *, span_ms: int = SPAN_MS) -> str:
    """Return one event; its id is the first field, so that `{"id":"` is where a fresh one goes."""
    time = FIRST_TIME + timedelta(milliseconds=int(random.random() * span_ms))
    draw = random.getrandbits(64)  # one draw for all that is small: drawing is most of what an event costs here
    properties = (
        f'{{"region":"{REGIONS[draw & 3]}","model":"{MODELS[(draw >> 2) % 3]}","tokens":{(draw >> 12) % 4_000 + 1}}}'
    )
    return (
        f'{{"id":"{random.randbytes(12).hex()}","type":"api_call","customer":"c-{(draw >> 32) % CUSTOMERS:04d}",'
        f'"time":"{time.isoformat(timespec="milliseconds")[:23]}Z","value":{(draw >> 48) % 500 / 100},'
        f'"properties":{properties}}}'
    )


def body_json(random: Random, *, batch: int, span_ms: int = SPAN_MS) -> str:
    """Return the body of one request: an array, of one event too, so that every batch takes the same way through a server."""
    return "[" + ",".join(event_json(random, span_ms=span_ms) for _ in range(batch)) + "]"


def bodies(*, seed: int, batch: int) -> Iterator[bytes]:
    """Yield bodies without end, every event of them new; the same seed gives the same bodies."""
    random = Random(seed)
    while True:
        yield body_json(random, batch=batch).encode()


def write_templates(path: Path, *, batch: int) -> None:
    """Write bodies for `wrk_fresh_ids.lua`, one a line: enough that customers and times vary, few enough to stay in a cache."""
    random = Random(batch)
    count = max(8, 4_096 // batch)
    path.write_text("".join(body_json(random, batch=batch) + "\n" for _ in range(count)))
