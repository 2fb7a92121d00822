"""One customer's month by day over HTTP, at a fixed rate, beside events sent at half of what the appliance takes (in hundreds).

Delays are counted from the time each question was due (see `paced_client`). How many events the appliance takes is measured first, on the
same directory. `python -m … PORT RATE REQUESTS` is the sender.
"""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from tallystick.instant import Instant, format_instant
from tests.bench.bench_events import bodies
from tests.bench.measured_process import free_port, module, resident_bytes, running
from tests.bench.paced_client import http_request, send
from tests.bench.queries.month_of_events import END, START, customer_key
from tests.bench.subjects import ADMIN_KEY, tallystick_command, tallystick_environment

BATCH = 100
INGEST_CONNECTIONS = 4
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
RANKS = (0, 10, 100, 1_000)


class OverHttp(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: questions by their delay, and the rate of events beside them."""

    questions: int
    rate_per_s: float
    ingest_events_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    memory_bytes: int


def measure_over_http(data: Path, folder: Path, *, seconds: float, rate_per_s: float = 20) -> OverHttp:
    """Serve the loaded directory, ask each customer once so that nothing is cold, and measure. The directory is changed by it."""
    port, headers = free_port(), HEADERS
    command = tallystick_command(data, port=port)
    with running(
        command, port=port, log=folder / "http.log", ready_path="/health/ready", environment=tallystick_environment()
    ) as process:
        _define_meter(port, headers)
        questions = [_question(customer_key(rank), headers) for rank in RANKS]
        send(port, questions * 10, connections=1)
        top = send(port, _events(headers, seed=1, count=1_000), connections=INGEST_CONNECTIONS)
        ingest_rate = 1_000 / top.duration_s / 2
        # A process of its own: two clients in one would wait for each other's interpreter.
        beside = subprocess.Popen(
            module("tests.bench.queries.over_http", str(port), str(ingest_rate), str(round(ingest_rate * seconds)))
        )
        count = round(rate_per_s * seconds)
        asked = list(itertools.islice(itertools.cycle(questions), count))
        paced = send(port, asked, connections=4, rate_per_s=rate_per_s)
        beside.wait()
        return OverHttp(
            questions=count,
            rate_per_s=rate_per_s,
            ingest_events_per_s=ingest_rate * BATCH,
            p50_ms=paced.percentile_ms(50),
            p99_ms=paced.percentile_ms(99),
            max_ms=paced.percentile_ms(100),
            memory_bytes=resident_bytes(process.pid),
        )


def _events(headers: dict[str, str], *, seed: int, count: int) -> Sequence[bytes]:
    return [http_request(body, headers) for body in itertools.islice(bodies(seed=seed, batch=BATCH), count)]


def _question(customer: str, headers: dict[str, str]) -> bytes:
    query = urlencode(
        {
            "from": format_instant(Instant(START)),
            "to": format_instant(Instant(END)),
            "window": "day",
            "filter[customer]": customer,
        }
    )
    lines = [f"GET /v1/meters/spend/usage?{query} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _define_meter(port: int, headers: dict[str, str]) -> None:
    """Define the meter, unless the directory was loaded with it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        meter = {"key": "spend", "name": "Spend", "event_type": "api_call", "aggregation": "sum"}
        body = json.dumps(meter)
        connection.request("POST", "/v1/meters", body=body, headers={**headers, "Content-Type": "application/json"})
        status = connection.getresponse().status
        if status not in {201, 409}:
            raise RuntimeError(f"the meter was answered {status}")
    finally:
        connection.close()


if __name__ == "__main__":
    send(
        int(sys.argv[1]),
        _events(HEADERS, seed=2, count=int(sys.argv[3])),
        connections=INGEST_CONNECTIONS,
        rate_per_s=float(sys.argv[2]),
    )
