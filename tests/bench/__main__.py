"""`make bench`: measure everything in turn on this machine, print the tables, keep the figures in `bench-results/`.

Nothing else should run meanwhile: on two cores the servers, the generator of load and PostgreSQL share what there is.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from tests.bench.engine_rates import EngineFigures, measure_engine
from tests.bench.figures import Rate, figures_table, medians, rates_table
from tests.bench.http_rates import (
    SUBJECTS,
    TALLYSTICK,
    Delays,
    Replay,
    measure_delays,
    measure_rates,
    measure_replay,
)
from tests.bench.promises import delay_figures, engine_figures, rate_figures, replay_figures

PARTS = ("rates", "delays", "replay", "engine")
RESULTS = Path("bench-results")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    cores: int
    processor: str
    memory_gib: float
    kernel: str
    python: str


class Results(msgspec.Struct, kw_only=True):
    """All that was measured in one run."""

    measured_at: str
    machine: Machine
    rates: list[Rate] = []
    delays: Delays | None = None
    replay: Replay | None = None
    engine: EngineFigures | None = None


def this_machine() -> Machine:
    """Describe the machine as far as it says."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=models[0].split(":", 1)[1].strip() if models else platform.processor(),
        memory_gib=round(pages * page_bytes / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part only; may be repeated")
    parser.add_argument("--subject", action="append", choices=list(SUBJECTS), help="rates of this subject only")
    parser.add_argument("--seconds", type=float, default=8, help="length of one run (default 8)")
    parser.add_argument("--rounds", type=int, default=1, help="measure the rates so often; the median counts")
    parser.add_argument(
        "--rate", type=float, help="single events a second for the delays (default: half of the top rate)"
    )
    parser.add_argument("--replay-events", type=int, default=1_000_000, help="events sent twice (default a million)")
    parser.add_argument(
        "--engine-events", type=int, default=10_000_000, help="size of the engine's run (default 10 million)"
    )
    parser.add_argument("--directory", type=Path, help="a folder on the disk to be measured (default: a temporary one)")
    return parser.parse_args()


class Bench:
    """One run: the parts in turn, each said aloud before it starts."""

    def __init__(self, options: argparse.Namespace, folder: Path, console: Console) -> None:
        self._options, self._folder, self._console = options, folder, console
        self.results = Results(measured_at=datetime.now(UTC).isoformat(timespec="seconds"), machine=this_machine())

    def run(self) -> None:
        """Measure the parts that were asked for."""
        parts: dict[str, Callable[[], None]] = {
            "rates": self._rates,
            "delays": self._delays,
            "replay": self._replay,
            "engine": self._engine,
        }
        for name in self._options.only or PARTS:
            parts[name]()

    def print(self) -> None:
        """Print the tables of what was measured."""
        results = self.results
        if results.rates:
            self._console.print(rates_table(results.rates))
        figures = [
            *rate_figures(results.rates),
            *delay_figures(results.delays),
            *replay_figures(results.replay),
            *engine_figures(results.engine),
        ]
        if figures:
            self._console.print(figures_table(figures))

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] {text}", highlight=False)

    def _rates(self) -> None:
        runs: list[Rate] = []
        for number in range(1, self._options.rounds + 1):
            for subject in self._options.subject or SUBJECTS:
                self._say(f"round {number}, {subject}: batches of 1, 100 and 1,000, {self._options.seconds:.0f} s each")
                runs += measure_rates(subject, self._folder, seconds=self._options.seconds)
                self.results.rates = medians(runs)

    def _delays(self) -> None:
        top = [rate.requests_per_s for rate in self.results.rates if rate.subject == TALLYSTICK and rate.batch == 1]
        rate_per_s = self._options.rate or (top[0] / 2 if top else 1_000.0)
        self._say(f"acknowledge times at {rate_per_s:,.0f} single events a second")
        self.results.delays = measure_delays(self._folder, rate_per_s=rate_per_s, seconds=self._options.seconds)

    def _replay(self) -> None:
        self._say(f"{self._options.replay_events:,} events sent twice")
        self.results.replay = measure_replay(self._folder, events=self._options.replay_events)

    def _engine(self) -> None:
        self._say(f"the engine alone, {self._options.engine_events:,} events, then kill -9 and a restart")
        self.results.engine = measure_engine(self._folder, events=self._options.engine_events, seed=31)


def main() -> None:
    """Run the bench and exit 0 whatever the figures are: they are for people to judge."""
    options = _options()
    console = Console(width=None if os.isatty(1) else 140)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-", dir=options.directory) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user, who has to reach its own folder in here
        bench = Bench(options, Path(folder), console)
        try:
            bench.run()
        finally:
            bench.print()
            RESULTS.mkdir(exist_ok=True)
            kept = RESULTS / f"{bench.results.measured_at.replace(':', '')}.json"
            kept.write_bytes(msgspec.json.format(msgspec.json.encode(bench.results), indent=2))
            console.print(f"{time.monotonic() - started:.0f} s; figures kept in {kept}", highlight=False)


if __name__ == "__main__":
    main()
