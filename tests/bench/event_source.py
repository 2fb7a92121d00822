"""A process that writes bodies of new events to a pipe, so that making them costs the measured process nothing.

Started as `python -m tests.bench.event_source SEED`; ends when nobody reads any more. Each body has 1,000 events and stands behind its
length (4 bytes, big-endian). Every id is new; customers, values and properties come from half a million prepared events. Times move
on by a minute every 16 bodies, about a million events an hour, as if usage was sent when it happened.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import BinaryIO

from tests.bench.bench_events import FIRST_TIME, body_json

BATCH = 1_000
POOL_BODIES = 500
BODIES_PER_MINUTE = 16
ID_START = b'{"id":"'


def _minute(time: datetime) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M").encode()


def _template(random: Random) -> list[bytes]:
    """Return the pieces of a body around its ids, all times within the first minute."""
    pieces = body_json(random, batch=BATCH, span_ms=60_000).encode().split(ID_START)
    return [pieces[0] + ID_START, *(piece[24:] + ID_START for piece in pieces[1:-1]), pieces[-1][24:]]


def live_bodies(seed: int) -> Iterator[bytes]:
    """Yield bodies without end."""
    random = Random(seed)
    templates = [_template(random) for _ in range(POOL_BODIES)]
    placeholder, number = _minute(FIRST_TIME), 0
    while True:
        pieces = templates[number % POOL_BODIES]
        digits = random.randbytes(12 * BATCH).hex().encode()
        body: list[bytes] = [b""] * (2 * BATCH + 1)
        body[::2] = pieces
        body[1::2] = [digits[at : at + 24] for at in range(0, 24 * BATCH, 24)]
        minute = _minute(FIRST_TIME + timedelta(minutes=number // BODIES_PER_MINUTE))
        yield b"".join(body).replace(placeholder, minute)
        number += 1


def read_bodies(pipe: BinaryIO) -> Iterator[bytes]:
    """Yield the bodies that another process writes."""
    while head := pipe.read(4):
        yield pipe.read(int.from_bytes(head, "big"))


if __name__ == "__main__":
    try:
        for sent in live_bodies(int(sys.argv[1])):
            sys.stdout.buffer.write(len(sent).to_bytes(4, "big") + sent)
    except BrokenPipeError:
        sys.stderr.close()  # or the interpreter complains about the same pipe once more at exit
