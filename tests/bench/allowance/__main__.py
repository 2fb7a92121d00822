"""`make bench-allowance`: how long a gateway waits for an allowance while events come at half rate, beside the read of a Redis counter.

A minute or so. Nothing else should run meanwhile: on two cores the appliance, who sends and who asks share what there is.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from tests.bench.allowance.over_http import AllowanceDelays, ask_beside_ingest, beside_ingest, check, prepare, top_rate
from tests.bench.allowance.redis_counter import RedisMissing, read_counters, redis
from tests.bench.figures import Figure, figures_table, number
from tests.bench.paced_client import Paced
from tests.bench.subjects import tallystick

CHECKED = 20


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-allowance ARGS=…", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="how long each is asked (default 15)")
    parser.add_argument("--rate", type=float, default=200, help="questions a second (default 200)")
    parser.add_argument("--events", type=int, default=300_000, help="events loaded before (default 300,000)")
    parser.add_argument("--customers", type=int, default=1_000, help="customers asked about in turn, 1,000 at most")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and compare the figures with those of usage questions."""
    options, console = _options(), Console()
    customers = [f"c-{number:04d}" for number in range(min(options.customers, 1_000))]
    with tempfile.TemporaryDirectory(prefix="bench-allowance-") as folder, tallystick(Path(folder)) as subject:
        prepare(subject, events=options.events)
        ingest_per_s = top_rate(subject) / 2
        console.print(
            f"events beside: {number(ingest_per_s * 100)} a second, half of what the appliance takes in hundreds"
        )
        delays = ask_beside_ingest(
            subject, customers, ingest_per_s=ingest_per_s, seconds=options.seconds, rate_per_s=options.rate
        )
        for customer in customers[:CHECKED]:
            check(subject, customer)
        counter: Paced | None = None
        try:
            with redis(Path(folder)) as port:
                counter = beside_ingest(
                    subject,
                    lambda: read_counters(
                        port, customers, count=round(options.rate * options.seconds), rate_per_s=options.rate
                    ),
                    ingest_per_s=ingest_per_s,
                    seconds=options.seconds,
                )
        except RedisMissing as missing:
            console.print(f"Redis is not compared: {missing}")
    console.print(figures_table(_figures(delays, counter)))


def _figures(delays: AllowanceDelays, counter: Paced | None) -> list[Figure]:
    evidence = (
        f"{number(delays.rate_per_s)} questions/s beside {number(delays.ingest_events_per_s)} events/s; "
        f"p50 {number(delays.p50_ms)} ms, max {number(delays.max_ms)} ms"
    )
    if counter is not None:
        evidence += f"; a Redis counter beside the same: p50 {number(counter.percentile_ms(50))} ms, "
        evidence += f"p99 {number(counter.percentile_ms(99))} ms, max {number(counter.percentile_ms(100))} ms"
    return [
        Figure(
            name="an allowance within the appliance, mean",
            measured=delays.server_ms,
            must=1,
            aim=0.5,
            unit="ms",
            is_ceiling=True,
            evidence="from the head of the request to the end of the answer, as /metrics has it",
        ),
        Figure(
            name="p99 of an allowance over HTTP, beside ingest at half rate",
            measured=delays.p99_ms,
            must=25,
            aim=10,
            unit="ms",
            is_ceiling=True,
            evidence=evidence,
        ),
    ]


if __name__ == "__main__":
    main()
