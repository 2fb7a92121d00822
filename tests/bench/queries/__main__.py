"""`make bench-queries`: the same five questions to Tallystick, DuckDB, ClickHouse's engine and PostgreSQL, in one run, answers compared.

Every store has its own process and two threads. Files are read once before anything is timed, so that all are in the page cache.
Stores are asked in turn, round by round, so that whatever else the machine does hits all of them alike.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from statistics import median

import msgspec
import numpy as np
import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure, figures_table, number
from tests.bench.measured_process import module
from tests.bench.postgresql_cluster import postgresql
from tests.bench.queries.asked import Asked, Question
from tests.bench.queries.levels import EVENTS as LEVEL_EVENTS
from tests.bench.queries.levels import LevelTimes
from tests.bench.queries.month_of_events import customer_key, month_of_events
from tests.bench.queries.over_http import OverHttp, measure_over_http
from tests.bench.queries.worker import Command, Reply, Setup

OURS = "tallystick"
THEIRS = ("duckdb", "clickhouse", "postgresql")
# One that sends a tenth of all, one of a hundredth, and two of whom there is little.
RANKS = (0, 10, 100, 1_000)
LATER_TIMES = 5
NEW_EVENTS = 10_000
_ENVIRONMENT = {**os.environ, "POLARS_MAX_THREADS": "2"}


class WorkerEnded(Exception):
    """A store's process ended in the middle of a command; its error is above on stderr."""


class AnswersDiffer(Exception):
    """Two stores gave different figures: the bench would compare nothing."""


class Worker:
    """One store in its process."""

    def __init__(self, setup: Setup) -> None:
        self.name = setup.store
        self.memory_bytes = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.queries.worker", msgspec.json.encode(setup).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_ENVIRONMENT,
        )
        self._line()

    def _line(self) -> str:
        if self._process.stdout is None or not (line := self._process.stdout.readline()):
            raise WorkerEnded(self.name)
        return line

    def obey(self, command: Command) -> Reply:
        """Have a command done."""
        if self._process.stdin is None:
            raise WorkerEnded(self.name)
        self._process.stdin.write(msgspec.json.encode(command).decode() + "\n")
        self._process.stdin.flush()
        reply = msgspec.json.decode(self._line(), type=Reply)
        self.memory_bytes = max(self.memory_bytes, reply.memory_bytes)
        return reply

    def close(self) -> None:
        """End it and wait."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(60)


class Times(msgspec.Struct):
    """Seconds of each phase, for one question and one store."""

    first: list[float] = []
    later: list[float] = []
    after_new: list[float] = []


def asked_variants(question: Question) -> list[Asked]:
    """Return what is asked for one question: several customers where it is about one."""
    ranks = RANKS if question is Question.CUSTOMER_BY_DAY else RANKS[:1]
    return [Asked(question, customer_key(rank)) for rank in ranks]


class QueriesBench:
    """One run."""

    def __init__(self, workers: list[Worker], console: Console, *, rounds: int) -> None:
        self._workers, self._console, self._rounds = workers, console, rounds
        self.times = {(question, worker.name): Times([], [], []) for question in Question for worker in workers}

    def run(self) -> None:
        """Ask everything in three phases."""
        self._warm_files()
        for _ in range(self._rounds):
            self._ask("first")
        self._console.print("first questions asked", highlight=False)
        for _ in range(self._rounds):
            self._ask("later")
        for worker in self._workers:
            worker.obey(Command(verb="add", events=NEW_EVENTS))
        for _ in range(self._rounds):
            self._ask("after_new")

    def _warm_files(self) -> None:
        for worker in self._workers:
            for question in Question:
                worker.obey(Command(verb="ask", asked=asked_variants(question)[0]))

    def _ask(self, phase: str) -> None:
        for question in Question:
            for asked in asked_variants(question):
                self._ask_all(asked, phase)

    def _ask_all(self, asked: Asked, phase: str) -> None:
        found: dict[str, str] = {}
        for worker in self._workers:
            worker.obey(Command(verb="forget" if phase == "first" else "settle"))
            reply = worker.obey(Command(verb="ask", asked=asked, times=1 if phase == "first" else LATER_TIMES))
            # The first answer after new events or another question pays for what it finds; it counts like the others.
            getattr(self.times[asked.question, worker.name], phase).extend(reply.seconds)
            found[worker.name] = reply.fingerprint
        if len(set(found.values())) > 1:
            raise AnswersDiffer(f"{asked}: {found}")

    def tables(self) -> Generator[Table]:
        """Lay out every phase: p50 and p95 in milliseconds, and how much quicker ours is than the best."""
        for phase, title in (
            ("first", "first question (no partials)"),
            ("later", "later questions"),
            ("after_new", f"after {NEW_EVENTS:,} new events"),
        ):
            table = Table(box=box.SIMPLE_HEAD, title=f"{title}: p50 / p95 in ms", title_justify="left")
            table.add_column("question")
            for worker in self._workers:
                table.add_column(worker.name, justify="right")
            table.add_column("ours against the best", justify="right")
            for question in Question:
                cells = [self._cell(question, worker.name, phase) for worker in self._workers]
                table.add_row(question, *cells, f"{number(self.ratio(question, phase))} times")
            yield table

    def _seconds(self, question: Question, name: str, phase: str) -> list[float]:
        return getattr(self.times[question, name], phase)

    def _cell(self, question: Question, name: str, phase: str) -> str:
        seconds = self._seconds(question, name, phase)
        return f"{number(median(seconds) * 1e3)} / {number(float(np.percentile(seconds, 95)) * 1e3)}"

    def ratio(self, question: Question, phase: str) -> float:
        """Return how much longer the best of the others takes than ours, by p50."""
        others = [worker.name for worker in self._workers if worker.name != OURS]
        if not others:
            return float("nan")
        best = min(median(self._seconds(question, name, phase)) for name in others)
        return best / median(self._seconds(question, OURS, phase))

    def figures(self) -> list[Figure]:
        """Judge what was promised, where there is something to compare with."""
        if len(self._workers) == 1:
            return []
        figures: list[Figure] = []
        for question in Question:
            must = 0.7 if question is Question.DISTINCT_BY_DAY else 1.0
            figures.append(
                Figure(name=f"first: {question}", measured=self.ratio(question, "first"), must=must, aim=2.0)
            )
        for phase in ("later", "after_new"):
            for question in Question:
                name = f"{'later' if phase == 'later' else 'after new events'}: {question}"
                figures.append(Figure(name=name, measured=self.ratio(question, phase), must=5.0, aim=50.0))
        return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-queries ARGS=…", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000, help="size of the month (default 10 million)")
    parser.add_argument("--keep", type=Path, help="a folder in which the loaded stores stay for the next run")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is asked in each phase (default 3)")
    parser.add_argument("--without", action="append", default=[], choices=THEIRS, help="leave a store out; repeatable")
    parser.add_argument("--only-ours", action="store_true", help="leave all others out")
    parser.add_argument(
        "--http-seconds", type=float, default=20, help="length of the run over HTTP (default 20; 0 leaves it out)"
    )
    parser.add_argument(
        "--compare-sizes",
        type=int,
        nargs=2,
        metavar=("SMALL", "LARGE"),
        help="measure one customer's month over HTTP at two sizes, and nothing else",
    )
    parser.add_argument(
        "--narrow", action="store_true", help="give the others DECIMAL(18, 2) instead of DECIMAL(38, 12)"
    )
    return parser.parse_args()


@contextlib.contextmanager
def _folder(options: argparse.Namespace, events: int) -> Generator[Path]:
    if options.keep is None:
        with tempfile.TemporaryDirectory(prefix="tallystick-bench-queries-") as path:
            Path(path).chmod(0o755)  # PostgreSQL runs as another user
            yield Path(path)
        return
    folder = options.keep / f"{events}"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _loaded(folder: Path, events: int, console: Console) -> Path:
    """Make the events as a file for the others, and load ours from the same; return the file."""
    parquet = folder / "events.parquet"
    if not parquet.exists():
        pl.concat(list(month_of_events(events))).write_parquet(parquet)
    master = folder / "tallystick-loaded"
    if not master.exists():
        started = time.monotonic()
        # Its own process: what loading leaves in memory is no part of the figures.
        loader = module("tests.bench.queries.tallystick_store", str(folder / "loading"), str(events))
        subprocess.run(loader, check=True)
        (folder / "loading").rename(master)
        console.print(f"Tallystick loaded {events:,} events in {time.monotonic() - started:.0f} s", highlight=False)
    # Asked on a copy: the bench adds events.
    shutil.rmtree(folder / "tallystick", ignore_errors=True)
    shutil.copytree(master, folder / "tallystick")
    return parquet


@contextlib.contextmanager
def _workers(options: argparse.Namespace, folder: Path, console: Console) -> Generator[list[Worker]]:
    parquet = _loaded(folder, options.events, console)
    names = [name for name in (OURS, *THEIRS) if name == OURS or not (options.only_ours or name in options.without)]
    with contextlib.ExitStack() as stack:
        dsn = ""
        if "postgresql" in names:
            # A short path: a Unix socket's address has 107 bytes at most.
            cluster = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tsbq-")))
            cluster.chmod(0o755)
            dsn = stack.enter_context(postgresql(cluster / "pg", settings={"max_parallel_workers_per_gather": "1"}))
        workers: list[Worker] = []
        for name in names:
            started = time.monotonic()
            for copy in folder.glob(f"{name}-*"):
                if name in {"duckdb", "clickhouse"}:
                    shutil.rmtree(copy) if copy.is_dir() else copy.unlink()
            setup = Setup(store=name, folder=str(folder), parquet=str(parquet), dsn=dsn, narrow=options.narrow)
            workers.append(Worker(setup))
            stack.callback(workers[-1].close)
            console.print(f"{name} is ready after {time.monotonic() - started:.0f} s", highlight=False)
        yield workers


def _over_http(folder: Path, *, seconds: float) -> OverHttp:
    """Measure on a copy: events are added to it."""
    shutil.rmtree(folder / "served", ignore_errors=True)
    shutil.copytree(folder / "tallystick-loaded", folder / "served")
    try:
        return measure_over_http(folder / "served", folder, seconds=seconds)
    finally:
        shutil.rmtree(folder / "served")


def _http_figures(found: OverHttp, *, events: int) -> list[Figure]:
    evidence = (
        f"{found.questions} questions at {found.rate_per_s:.0f}/s beside {number(found.ingest_events_per_s)} events/s; "
        f"p50 {number(found.p50_ms)} ms, max {number(found.max_ms)} ms"
    )
    name = f"one customer's month by day over HTTP, ingest at half rate, {events / 1e6:,.0f} M events: p99"
    memory = f"memory of the appliance at {events / 1e6:,.0f} M events"
    return [
        Figure(name=name, measured=found.p99_ms, must=20, aim=5, unit="ms", is_ceiling=True, evidence=evidence),
        Figure(name=memory, measured=found.memory_bytes / 2**30, must=2, aim=1, unit="GiB", is_ceiling=True),
    ]


def _level_figures(folder: Path) -> list[Figure]:
    """Measure in a process of its own, with the threads that all others have."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        run = subprocess.run(
            module("tests.bench.queries.levels", f"{own}/data"), check=True, capture_output=True, env=_ENVIRONMENT
        )
    found = msgspec.json.decode(run.stdout, type=LevelTimes)
    name = f"running_total of {LEVEL_EVENTS:,} events over a year by day, first question"
    evidence = f"later {number(found.later_s * 1e3)} ms; {found.rows} rows"
    return [Figure(name=name, measured=found.first_s, must=1, aim=0.2, unit="s", is_ceiling=True, evidence=evidence)]


def _compare_sizes(options: argparse.Namespace, console: Console) -> None:
    found: list[OverHttp] = []
    figures: list[Figure] = []
    for events in options.compare_sizes:
        with _folder(options, events) as folder:
            _loaded(folder, events, console)
            found.append(_over_http(folder, seconds=options.http_seconds))
            figures += _http_figures(found[-1], events=events)
    small, large = options.compare_sizes
    name = f"one customer's month by day over HTTP, {large / 1e6:,.0f} M against {small / 1e6:,.0f} M events: p50"
    ratio = found[1].p50_ms / found[0].p50_ms
    figures.append(Figure(name=name, measured=ratio, must=1.5, aim=1.1, is_ceiling=True))
    console.print(figures_table(figures))


def main() -> None:
    """Run the bench; exit 0 whatever the figures are, 1 if answers differ."""
    options = _options()
    console = Console(width=None if os.isatty(1) else 150)
    if options.compare_sizes:
        _compare_sizes(options, console)
        return
    with _folder(options, options.events) as folder:
        with _workers(options, folder, console) as workers:
            bench = QueriesBench(workers, console, rounds=options.rounds)
            bench.run()
        for table in bench.tables():
            console.print(table)
        figures = bench.figures()
        if options.http_seconds:
            figures += _http_figures(_over_http(folder, seconds=options.http_seconds), events=options.events)
        figures += _level_figures(folder)
        console.print(figures_table(figures))
        for worker in workers:
            console.print(f"memory of {worker.name}: {worker.memory_bytes / 2**20:,.0f} MiB", highlight=False)


if __name__ == "__main__":
    main()
