"""Allowances over HTTP at a fixed rate, beside events sent at half of what the appliance takes (in hundreds), of the same customers.

Delays are counted from the time each question was due (see `paced_client`). How many events the appliance takes is measured first, on the
same directory. `python -m … PORT RATE REQUESTS` is the sender.
"""

from __future__ import annotations

import http.client
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from tests.bench.bench_events import bodies
from tests.bench.measured_process import module
from tests.bench.paced_client import Paced, http_request, send
from tests.bench.subjects import ADMIN_KEY, Subject

BATCH = 100
INGEST_CONNECTIONS = 4
QUESTION_CONNECTIONS = 8
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
METER = "requests"
# Without a time an event is of now, so that it counts in the period that is being asked about.
_TIME = re.compile(rb'"time":"[^"]*",')


class FiguresDiffer(Exception):
    """An allowance is not what the usage question says: the bench would measure a wrong answer."""


class AllowanceDelays(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers took, and what ran beside them."""

    questions: int
    rate_per_s: float
    ingest_events_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    server_ms: float


def prepare(subject: Subject, *, events: int) -> None:
    """Define a meter and two limits for each customer, and load some events."""
    call(subject, "POST", "/v1/meters", {"key": METER, "event_type": "api_call", "aggregation": "sum"})
    for period in ("month", "day"):
        condition = {"type": "threshold", "limit": 100_000, "thresholds": [80, 100]}
        signal = {"key": f"{period}-cap", "meter": METER, "scope": {"customer": "*"}, "period": period}
        call(subject, "POST", "/v1/signals", signal | {"condition": condition})
    send(subject.port, _events(seed=1, count=events // BATCH), connections=INGEST_CONNECTIONS)


def top_rate(subject: Subject) -> float:
    """Return how many requests of a hundred events the appliance takes in a second."""
    count = 600
    return count / send(subject.port, _events(seed=2, count=count), connections=INGEST_CONNECTIONS).duration_s


def ask_beside_ingest(
    subject: Subject, customers: Sequence[str], *, ingest_per_s: float, seconds: float, rate_per_s: float
) -> AllowanceDelays:
    """Ask about customers in turn while events come."""
    for customer in customers:  # once, so that none is cold
        call(subject, "GET", _path(customer))
    before = _server_seconds(subject)
    count = round(rate_per_s * seconds)
    asked = list(itertools.islice(itertools.cycle(map(_question, customers)), count))

    def ask() -> Paced:
        return send(subject.port, asked, connections=QUESTION_CONNECTIONS, rate_per_s=rate_per_s)

    paced = beside_ingest(subject, ask, ingest_per_s=ingest_per_s, seconds=seconds)
    after = _server_seconds(subject)
    return AllowanceDelays(
        questions=count,
        rate_per_s=rate_per_s,
        ingest_events_per_s=ingest_per_s * BATCH,
        p50_ms=paced.percentile_ms(50),
        p99_ms=paced.percentile_ms(99),
        max_ms=paced.percentile_ms(100),
        server_ms=(after[0] - before[0]) / (after[1] - before[1]) * 1e3,
    )


def beside_ingest(subject: Subject, work: Callable[[], Paced], *, ingest_per_s: float, seconds: float) -> Paced:
    """Do the work while another process sends events: two clients in one would wait for each other's interpreter."""
    arguments = (str(subject.port), str(ingest_per_s), str(round(ingest_per_s * seconds)))
    with subprocess.Popen(module("tests.bench.allowance.over_http", *arguments)) as sender:
        paced = work()
        if sender.wait() != 0:
            raise RuntimeError("the sender of events failed")
    return paced


def check(subject: Subject, customer: str) -> None:
    """Compare what an allowance says was used with the usage of the period. Raises `FiguresDiffer`."""
    answer = call(subject, "GET", _path(customer))
    for limit in answer["limits"]:
        query = f"from={limit['period_start']}&to={limit['resets_at']}&filter[customer]={customer}"
        totals = call(subject, "GET", f"/v1/meters/{METER}/usage?{query}")["totals"]
        if [total["value"] for total in totals] != [limit["used"]]:
            raise FiguresDiffer(f"{customer}: {limit} beside {totals}")


def call(subject: Subject, method: str, path: str, body: object = None) -> Any:  # Any: JSON
    """Return what the appliance answers. Raises `RuntimeError` for an error."""
    connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=30)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, body=sent, headers={**HEADERS, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {text[:500].decode(errors='replace')}")
        return json.loads(text)
    finally:
        connection.close()


def _path(customer: str) -> str:
    return f"/v1/customers/{customer}/allowance?meter={METER}"


def _question(customer: str) -> bytes:
    lines = [f"GET {_path(customer)} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _timeless(*, seed: int) -> Iterator[bytes]:
    return (_TIME.sub(b"", body) for body in bodies(seed=seed, batch=BATCH))


def _events(*, seed: int, count: int) -> Sequence[bytes]:
    return [http_request(body, HEADERS) for body in itertools.islice(_timeless(seed=seed), count)]


def _server_seconds(subject: Subject) -> tuple[float, int]:
    """Return how long the appliance itself says that answers of the route took so far, and how many they were."""
    connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=30)
    try:
        connection.request("GET", "/metrics", headers=HEADERS)
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    found = dict(
        line.rsplit(" ", 1)
        for line in text.splitlines()
        if "_seconds" in line and "/v1/customers/{key}/allowance" in line
    )
    total = next(float(value) for name, value in found.items() if "_sum" in name)
    count = next(float(value) for name, value in found.items() if "_count" in name)
    return total, int(count)


if __name__ == "__main__":
    send(
        int(sys.argv[1]),
        _events(seed=3 + int(sys.argv[1]), count=int(sys.argv[3])),
        connections=INGEST_CONNECTIONS,
        rate_per_s=float(sys.argv[2]),
    )
