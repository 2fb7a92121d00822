"""Prints what decoding costs, in microseconds an event: `python tests/bench/decode_timing.py`. The best of many runs, since others disturb."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import msgspec

from tallystick.decode import DecodeLimits, decode_events
from tallystick.testing import ManualClock, SeededEntropy

RECEIVED_AT = ManualClock().now()
LIMITS = DecodeLimits()
ENTROPY = SeededEntropy()
BUDGET_S = 0.4


def events(count: int, *, seed: int = 1) -> list[dict[str, object]]:
    """Return typical events of about 177 bytes of JSON; 100 different properties."""
    draw = random.Random(seed)
    return [
        {
            "id": f"{draw.getrandbits(96):024x}",
            "type": "api_call",
            "customer": f"customer-{draw.randrange(100)}",
            "time": f"2026-11-01T10:{draw.randrange(60):02d}:{draw.randrange(60):02d}.{draw.randrange(1000):03d}Z",
            "value": draw.randrange(1000) / 10,
            "properties": {"region": draw.choice(["eu", "us"]), "tokens": draw.randrange(50), "cached": True},
        }
        for _ in range(count)
    ]


def with_distinct_properties(count: int, serial: list[int]) -> list[dict[str, object]]:
    """Return events of which no two have the same properties, in no run of the whole measurement."""
    sent = events(count)
    for event in sent:
        serial[0] += 1
        event["properties"] = {"region": "eu", "tokens": serial[0], "latency": serial[0] / 8, "cached": True}
    return sent


def compact(sent: object) -> bytes:
    return json.dumps(sent, separators=(",", ":")).encode()


def best_us(bodies: Callable[[], bytes], media_type: str, count: int) -> float:
    best = float("inf")
    end = time.perf_counter() + BUDGET_S
    while time.perf_counter() < end:
        body = bodies()
        repeats = max(1, 200 // count)
        start = time.perf_counter()
        for _ in range(repeats):
            decode_events(body, media_type=media_type, received_at=RECEIVED_AT, limits=LIMITS, entropy=ENTROPY)
        best = min(best, (time.perf_counter() - start) / repeats / count)
    return best * 1e6


def cloud_events(count: int) -> list[dict[str, object]]:
    return [
        {
            "specversion": "1.0",
            "id": event["id"],
            "source": "gateway",
            "type": event["type"],
            "subject": event["customer"],
            "time": event["time"],
            "data": event["properties"],
        }
        for event in events(count)
    ]


def spoiled(count: int, every: int) -> list[dict[str, object]]:
    sent = events(count)
    for event in sent[::every]:
        event["customer"] = ""
    return sent


def without(count: int, *names: str) -> list[dict[str, object]]:
    return [{name: value for name, value in event.items() if name not in names} for event in events(count)]


def main() -> None:
    serial = [0]
    for count in (1, 100, 1_000, 10_000):
        single = count == 1
        plain = compact(events(count)[0] if single else events(count))
        packed = msgspec.msgpack.encode(events(count))
        lines = b"\n".join(map(compact, events(count)))
        cases: list[tuple[str, Callable[[], bytes], str]] = [
            ("json", lambda plain=plain: plain, "application/json"),
            ("json, spaced", lambda sent=json.dumps(events(count)).encode(): sent, "application/json"),
            ("json, indented", lambda sent=json.dumps(events(count), indent=2).encode(): sent, "application/json"),
            ("json, all properties distinct", lambda n=count: compact(with_distinct_properties(n, serial)), "application/json"),
            ("json, escapes in customer", lambda s=plain.replace(b"customer-", b"k\\u00fcnde-"): s, "application/json"),
            ("json, no time", lambda s=compact(without(count, "time")): s, "application/json"),
            ("json, no id", lambda s=compact(without(count, "id")): s, "application/json"),
            ("json, neither", lambda s=compact(without(count, "id", "time")): s, "application/json"),
            ("ndjson", lambda lines=lines: lines, "application/x-ndjson"),
            ("msgpack", lambda packed=packed: packed, "application/msgpack"),
            ("cloudevents", lambda s=compact(cloud_events(count)): s, "application/cloudevents-batch+json"),
        ]
        if not single:
            cases += [
                ("json, 1 in 1000 bad", lambda s=compact(spoiled(count, 1000)): s, "application/json"),
                ("json, all bad", lambda s=compact(spoiled(count, 1)): s, "application/json"),
            ]
        for name, bodies, media_type in cases:
            print(f"{count:>6} events  {name:<32} {best_us(bodies, media_type, count):8.3f} us/event")


if __name__ == "__main__":
    main()
