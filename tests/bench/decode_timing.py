"""Prints what decoding costs, in microseconds an event: `python tests/bench/decode_timing.py [count ...]`.

The best of many runs, since other processes only ever add; beside it how many times what msgspec alone takes to read the same JSON, which
disturbances change less. `distinct` sends properties of which no two are the same, in the whole measurement.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count as numbers
from itertools import repeat

import msgspec

from tallystick.decode import DecodeLimits, decode_events
from tallystick.testing import ManualClock, SeededEntropy

RECEIVED_AT = ManualClock().now()
LIMITS = DecodeLimits()
ENTROPY = SeededEntropy()
BUDGET_S = 0.4
COUNTS = (1, 100, 1_000, 10_000)
JSON = "application/json"

Sent = list[dict[str, object]]


def events(count: int, *, seed: int = 1) -> Sent:
    """Return typical events of about 177 bytes of JSON; 200 different properties."""
    draw = random.Random(seed)
    return [
        {
            "id": f"{draw.getrandbits(96):024x}",
            "type": "api_call",
            "customer": f"customer-{draw.randrange(100)}",
            "time": f"2026-11-01T10:{draw.randrange(60):02d}:{draw.randrange(60):02d}.{draw.randrange(1000):03d}Z",
            "value": draw.randrange(1000) / 10,
            "properties": {"region": draw.choice(["eu", "us"]), "tokens": draw.randrange(100), "cached": True},
        }
        for _ in range(count)
    ]


def compact(sent: object) -> bytes:
    return json.dumps(sent, separators=(",", ":")).encode()


def distinct(count: int, *, is_decimal: bool) -> Iterator[bytes]:
    serial = numbers(1)
    while True:
        sent = events(count)
        for event in sent:
            number = next(serial)
            event["properties"] = {"region": "eu", "tokens": number, "cached": True} | (
                {"seconds": number / 8} if is_decimal else {}
            )
        yield compact(sent)


def cloud_events(count: int) -> Sent:
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


def spoiled(count: int, every: int) -> Sent:
    sent = events(count)
    for event in sent[::every]:
        event["customer"] = ""
    return sent


def without(count: int, *names: str) -> Sent:
    return [{name: value for name, value in event.items() if name not in names} for event in events(count)]


def best_s(action: Callable[[bytes], object], bodies: Iterator[bytes], repeats: int) -> float:
    best = float("inf")
    end = time.perf_counter() + BUDGET_S
    while time.perf_counter() < end:
        body = next(bodies)
        start = time.perf_counter()
        for _ in range(repeats):
            action(body)
        best = min(best, (time.perf_counter() - start) / repeats)
    return best


def cases(count: int) -> Iterator[tuple[str, Iterator[bytes], str]]:
    sent = events(count)
    plain = compact(sent[0] if count == 1 else sent)
    yield "json", repeat(plain), JSON
    yield "json, spaced as Python does", repeat(json.dumps(sent).encode()), JSON
    yield "json, indented", repeat(json.dumps(sent, indent=2).encode()), JSON
    yield "json, distinct properties", distinct(count, is_decimal=False), JSON
    yield "json, distinct, with decimals", distinct(count, is_decimal=True), JSON
    yield "json, escapes in customer", repeat(plain.replace(b"customer-", b"k\\u00fcnde-")), JSON
    yield "json, no time", repeat(compact(without(count, "time"))), JSON
    yield "json, no id", repeat(compact(without(count, "id"))), JSON
    yield "json, no id and no time", repeat(compact(without(count, "id", "time"))), JSON
    yield "ndjson", repeat(b"\n".join(map(compact, sent))), "application/x-ndjson"
    yield "msgpack", repeat(msgspec.msgpack.encode(sent)), "application/msgpack"
    yield "cloudevents", repeat(compact(cloud_events(count))), "application/cloudevents-batch+json"
    if count > 1:
        yield "json, 1 in 1,000 refused", repeat(compact(spoiled(count, 1_000))), JSON
        yield "json, all refused", repeat(compact(spoiled(count, 1))), JSON


def main() -> None:
    for count in [int(argument) for argument in sys.argv[1:]] or COUNTS:
        repeats = max(1, 100 // count)
        reference_s = best_s(msgspec.json.Decoder().decode, repeat(compact(events(count))), repeats)
        for name, bodies, media_type in cases(count):
            decode = partial(
                decode_events, media_type=media_type, received_at=RECEIVED_AT, limits=LIMITS, entropy=ENTROPY
            )
            # A body of which the memo shall know nothing is sent once.
            taken_s = best_s(decode, bodies, 1 if "distinct" in name else repeats)
            print(f"{count:>6} events  {name:<30} {taken_s / count * 1e6:8.3f} us/event {taken_s / reference_s:7.2f} x")


if __name__ == "__main__":
    main()
