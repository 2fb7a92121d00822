"""The two traces of the demonstration as events: times moved, customers dealt out, nothing else changed.

Source: the Azure Public Dataset, CC BY 4.0 (`traces/ATTRIBUTION.md`). The trace names no customers, so request n of a service (from 0)
goes to customer ⌊√(n mod 400)⌋: twenty customers, the largest with 39 requests of every 400, the smallest with one.
"""

from __future__ import annotations

import csv
import gzip
import io
from importlib.resources import files
from math import isqrt
from typing import Final

import msgspec

from tallystick.instant import NS_PER_S, Instant, format_instant, parse_instant

SERVICES: Final = ("code", "conv")
CUSTOMER_COUNT: Final = 20
CUSTOMER_RULE: Final = "request n of a service goes to customer ⌊√(n mod 400)⌋"
EVENT_TYPE: Final = "llm_request"
SOURCE: Final = "azure-llm-2023"
HISTORY_S: Final = 45 * 60


class Request(msgspec.Struct, frozen=True):
    """One row of a trace; `offset_ns` counts from the first request of both."""

    service: str
    number: int
    offset_ns: int
    context_tokens: int
    generated_tokens: int

    @property
    def customer(self) -> str:
        """The customer that the rule deals it to."""
        return f"customer-{isqrt(self.number % 400):02d}"


class Sums(msgspec.Struct, frozen=True):
    """What is to be counted of one service."""

    requests: int
    context_tokens: int
    generated_tokens: int
    customers: int


# From the dataset's description, not from these files: what a load is checked against.
PUBLISHED: Final = {
    "code": Sums(8_819, 18_059_974, 245_896, CUSTOMER_COUNT),
    "conv": Sums(19_366, 22_361_870, 4_088_665, CUSTOMER_COUNT),
}


def read_trace() -> list[Request]:
    """Return the requests of both services by time."""
    rows = [(service, number, *row) for service in SERVICES for number, row in enumerate(_rows(service))]
    first = min(row[2] for row in rows)
    requests = [
        Request(service, number, at - first, context, generated) for service, number, at, context, generated in rows
    ]
    requests.sort(key=lambda request: (request.offset_ns, request.service, request.number))
    return requests


def event_json(request: Request, start: Instant) -> bytes:
    """Return the event of a request when the trace is moved so that its first request comes at `start`."""
    return msgspec.json.encode(
        {
            "id": f"{request.service}-{request.number:05d}",
            "source": SOURCE,
            "type": EVENT_TYPE,
            "customer": request.customer,
            "time": format_instant(Instant(start + request.offset_ns)),
            "properties": {
                "service": request.service,
                "context_tokens": request.context_tokens,
                "generated_tokens": request.generated_tokens,
            },
        }
    )


def split(requests: list[Request]) -> tuple[list[Request], list[Request]]:
    """Return the first 45 minutes and the rest."""
    edge = next((at for at, one in enumerate(requests) if one.offset_ns >= HISTORY_S * NS_PER_S), len(requests))
    return requests[:edge], requests[edge:]


def _rows(service: str) -> list[tuple[Instant, int, int]]:
    packed = files("tallystick_server.demo").joinpath(f"traces/azure_llm_2023_{service}.csv.gz").read_bytes()
    reader = csv.reader(io.StringIO(gzip.decompress(packed).decode()))
    next(reader)
    return [
        (parse_instant(f"{timestamp.replace(' ', 'T')}Z"), int(context), int(generated))
        for timestamp, context, generated in reader
    ]
