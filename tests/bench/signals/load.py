"""A process that sends events of usual customers for a while and says how that went, so that the one that takes times is left alone.

Started as `python -m tests.bench.signals.load PORT KEY SEED SECONDS BATCH RATE`; a rate of 0 sends as fast as the server answers.
"""

from __future__ import annotations

import sys
import time
from random import Random

import msgspec

from tests.bench.paced_client import http_request, send
from tests.bench.signals.watched import usual_body

CONNECTIONS = 16
# A prepared body is sent again under other ids: making one takes longer than taking it in.
_BODIES = 40
_MARK = "00000000"


class Loaded(msgspec.Struct, frozen=True):
    """How many events were acknowledged, in which time, and the delays of requests."""

    events: int
    seconds: float
    p50_ms: float
    p99_ms: float


def run(port: int, key: str, *, seed: int, seconds: float, batch: int, rate_per_s: float) -> Loaded:
    """Send for so long, piece by piece."""
    random = Random(seed)
    headers = {"Authorization": f"Bearer {key}"}
    bodies = [usual_body(random, events=batch, prefix=f"{seed}-{_MARK}-{number}") for number in range(_BODIES)]
    events, round_number = 0, 0
    delays: list[float] = []
    started = time.monotonic()
    while (spent_s := time.monotonic() - started) < seconds:
        count = _BODIES if not rate_per_s else max(1, min(_BODIES, round((seconds - spent_s) * rate_per_s / batch)))
        mark = f"{round_number:08d}".encode()
        requests = [http_request(body.replace(_MARK.encode(), mark), headers) for body in bodies[:count]]
        paced = send(port, requests, connections=CONNECTIONS, rate_per_s=rate_per_s / batch if rate_per_s else None)
        delays += paced.delays_ms.tolist()
        events, round_number = events + count * batch, round_number + 1
    spent_s = time.monotonic() - started
    delays.sort()
    return Loaded(events, spent_s, delays[len(delays) // 2], delays[len(delays) * 99 // 100])


if __name__ == "__main__":
    given = sys.argv[1:]
    loaded = run(
        int(given[0]),
        given[1],
        seed=int(given[2]),
        seconds=float(given[3]),
        batch=int(given[4]),
        rate_per_s=float(given[5]),
    )
    sys.stdout.buffer.write(msgspec.json.encode(loaded))
