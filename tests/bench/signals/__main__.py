"""`make bench-signals`: from an acknowledged event that crosses to the webhook received, beside ingest; and what looking costs.

1,000 signals on each of 10,000 customers (see `watched`), a real appliance with its defaults, a real receiver. Phases: ingest as fast as
it goes without signals and with them; then at a fixed rate, both ways, so that processor time can be compared. Probes cross one threshold
each, all the while. What is promised is promised at the fixed rate: as fast as it goes, everybody passes what only heavy customers are to
pass, and the delays are those of a storm. Takes less than three minutes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import httpx
import msgspec
import numpy as np
from rich.console import Console

from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick_server.present import SystemClock, SystemEntropy
from tests.bench.figures import Figure, figures_table, number
from tests.bench.measured_process import cpu_s, free_port, module, running
from tests.bench.signals.load import Loaded
from tests.bench.signals.watched import CHANNEL, CUSTOMERS, METERS, climbs_of_a_meter, probe_event, signals, usual_body
from tests.bench.subjects import ADMIN_KEY, tallystick_command, tallystick_environment

PROMISED_S, AIMED_S = 5.0, 1.0
PRELOADED_EVENTS = 200_000
_BATCH = 1_000
_PACED_BATCH = 100
_PROBE_EVERY_S = 0.2
_QUIET_S_MAX = 60.0


class Lost(Exception):
    """A crossing did not arrive: there is nothing to measure."""


class Receiver:
    """Takes webhooks and notes when each crossing came."""

    def __init__(self) -> None:
        self.came: dict[tuple[str, str], float] = {}
        self.messages = 0
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                at_s = time.monotonic()
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()
                receiver.take(body, at_s)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def take(self, body: bytes, at_s: float) -> None:
        data = msgspec.json.decode(body)["data"]
        with self.arrived:
            self.messages += 1
            for step in [data] if "signal" in data else data.get("top", []):
                self.came.setdefault((step["customer"], step["signal"]), at_s)
            self.arrived.notify_all()


class Probes:
    """Crosses one threshold after the other, and notes when each event was acknowledged."""

    def __init__(self, url: str, receiver: Receiver) -> None:
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=30)
        self._receiver = receiver
        self._climbs = [0] * len(METERS)
        self._sent = 0
        self._acknowledged: list[tuple[str, float]] = []
        self._crossed: dict[str, int] = {}

    def start_below(self) -> None:
        for meter, _ in enumerate(METERS):
            self._send(meter)

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            meter = self._sent % len(METERS)
            if self._climbs[meter] > climbs_of_a_meter():
                return
            customer = self._send(meter)
            self._acknowledged.append((customer, time.monotonic()))
            time.sleep(max(0.0, _PROBE_EVERY_S - (time.monotonic() - now)))

    def delays_s(self) -> list[float]:
        """Return the delays of every probe since this was last asked; waits for those on their way."""
        sent, self._acknowledged = self._acknowledged, []
        deadline = time.monotonic() + 120
        with self._receiver.arrived:
            while not self._receiver.arrived.wait_for(lambda: self._count() >= self._expected(), 1.0):
                if time.monotonic() > deadline:
                    raise Lost(f"{self._expected() - self._count()} of {self._expected()} crossings did not arrive")
            return self._matched(sent)

    def _expected(self) -> int:
        return sum(climb - 1 for climb in self._climbs)

    def _count(self) -> int:
        return len(self._receiver.came)

    def _matched(self, sent: list[tuple[str, float]]) -> list[float]:
        """Each probe crosses the next rung of its customer, so crossings of a customer come in the order of its events."""
        came: dict[str, list[float]] = {}
        for (customer, _), at_s in self._receiver.came.items():
            came.setdefault(customer, []).append(at_s)
        delays: list[float] = []
        for customer, acknowledged_s in sent:
            place = self._crossed.get(customer, 0)
            self._crossed[customer] = place + 1
            delays.append(max(0.0, sorted(came[customer])[place] - acknowledged_s))
        return delays

    def _send(self, meter: int) -> str:
        customer = f"probe{meter}"
        event = probe_event(meter, climb_to=self._climbs[meter], event_id=f"probe-{self._sent}", customer=customer)
        self._climbs[meter] += 1
        self._sent += 1
        self._client.post("/v1/events", json=event).raise_for_status()
        return customer


def _figures_of(url: str) -> dict[str, float]:
    answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=30)
    lines = [line.split(" ") for line in answer.text.splitlines() if not line.startswith("#") and "{" not in line]
    return {name: float(value) for name, value in lines}


@contextmanager
def _appliance(folder: Path, data: Path) -> Generator[tuple[str, int]]:
    port = free_port()
    environment = {**tallystick_environment(), "TALLYSTICK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    command = tallystick_command(data, port=port)
    log = folder / "log"
    with running(command, port=port, log=log, ready_path="/health/ready", environment=environment) as process:
        yield f"http://127.0.0.1:{port}", process.pid


def _prepare(data: Path) -> None:
    """Define meters, and load the month so far."""
    clock, entropy, random = SystemClock(), SystemEntropy(), Random(7)
    engine = Engine.open(data, clock=clock, entropy=entropy, settings=EngineSettings())
    try:
        for meter in METERS:
            engine.put_meter(meter, create=True)
        for number_ in range(PRELOADED_EVENTS // _BATCH):
            body = usual_body(random, events=_BATCH, prefix=f"before-{number_}")
            limits = DecodeLimits()
            engine.ingest(
                decode_events(
                    body, media_type="application/json", received_at=clock.now(), limits=limits, entropy=entropy
                )
            )
    finally:
        engine.close()


def _load(url: str, *, seed: int, seconds: float, batch: int, rate_per_s: float) -> subprocess.Popen[bytes]:
    port = url.rsplit(":", 1)[1]
    given = [port, ADMIN_KEY, str(seed), str(seconds), str(batch), str(rate_per_s)]
    return subprocess.Popen(module("tests.bench.signals.load", *given), stdout=subprocess.PIPE)


def _loaded(process: subprocess.Popen[bytes]) -> Loaded:
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"the load ended with {process.returncode}")
    return msgspec.json.decode(output, type=Loaded)


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """One load, and what the appliance and the probes did meanwhile."""

    loaded: Loaded
    cpu_share: float
    look_share: float
    looks_per_s: float
    steps: float
    delays_s: list[float]

    @property
    def events_per_s(self) -> float:
        return self.loaded.events / self.loaded.seconds

    def percentile_s(self, percent: float) -> float:
        return float(np.percentile(self.delays_s, percent))


def _phase(
    url: str, pid: int, *, seed: int, seconds: float, batch: int, rate_per_s: float, probes: Probes | None
) -> Phase:
    before, cpu_before_s, started = _figures_of(url), cpu_s(pid), time.monotonic()
    process = _load(url, seed=seed, seconds=seconds, batch=batch, rate_per_s=rate_per_s)
    if probes is not None:
        probes.run(seconds)
    loaded = _loaded(process)
    spent_s = time.monotonic() - started
    cpu_share = (cpu_s(pid) - cpu_before_s) / spent_s
    after = _figures_of(url)

    def grown(name: str) -> float:
        return after[f"tallystick_{name}_total"] - before[f"tallystick_{name}_total"]

    return Phase(
        loaded=loaded,
        cpu_share=cpu_share,
        look_share=grown("signal_look_seconds") / spent_s,
        looks_per_s=grown("signal_looks") / spent_s,
        steps=grown("signal_steps"),
        delays_s=[] if probes is None else probes.delays_s(),
    )


def _until_quiet(url: str) -> float:
    """Wait until everything there was has been looked at, and every message sent; returns how long that took."""
    started = time.monotonic()
    while True:
        figures = _figures_of(url)
        if figures["tallystick_signal_lag_positions"] == 0 and figures["tallystick_deliveries_waiting"] == 0:
            return time.monotonic() - started
        if time.monotonic() - started > _QUIET_S_MAX:
            raise Lost("signals are behind for a minute, though nothing comes")
        time.sleep(0.1)


def _run(
    folder: Path, *, with_signals: bool, seconds: float, rate_per_s: float, console: Console
) -> tuple[Phase, Phase]:
    data = folder / ("with" if with_signals else "without")
    receiver = Receiver()
    _prepare(data)
    with _appliance(folder, data) as (url, _):
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        made = {"key": CHANNEL, "kind": "webhook", "url": receiver.url}
        httpx.post(f"{url}/v1/channels", json=made, headers=headers, timeout=30).raise_for_status()
    if with_signals:
        engine = Engine.open(data, clock=SystemClock(), entropy=SystemEntropy(), settings=EngineSettings())
        for signal in signals():
            engine.signals.put(signal, create=True)
        engine.close()
    with _appliance(folder, data) as (url, pid):
        probes = None
        if with_signals:
            took_s = _until_quiet(url)
            steps = _figures_of(url)["tallystick_signal_steps_total"]
            console.print(f"first look at everybody: {took_s:.1f} s after the start, {steps:,.0f} steps")
            probes = Probes(url, receiver)
            probes.start_below()
            _until_quiet(url)
        # What is judged comes first: as fast as it goes, thousands of customers cross at once, and looks fall behind for a while.
        paced = _phase(url, pid, seed=2, seconds=seconds, batch=_PACED_BATCH, rate_per_s=rate_per_s, probes=probes)
        if with_signals:
            _until_quiet(url)
        fast = _phase(url, pid, seed=1, seconds=seconds, batch=_BATCH, rate_per_s=0, probes=probes)
    return fast, paced


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-signals", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each of the four phases")
    parser.add_argument("--rate", type=float, default=5_000.0, help="events a second of the paced phases")
    given = parser.parse_args()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-signals-"))
    try:
        seconds, rate = float(given.seconds), float(given.rate)
        without = _run(folder, with_signals=False, seconds=seconds, rate_per_s=rate, console=console)
        with_signals = _run(folder, with_signals=True, seconds=seconds, rate_per_s=rate, console=console)
    finally:
        shutil.rmtree(folder)
    _print(console, without, with_signals)


def _print(console: Console, without: tuple[Phase, Phase], with_signals: tuple[Phase, Phase]) -> None:
    names = ("as fast as it goes", "at a fixed rate")
    console.print(f"1,000 signals on each of {CUSTOMERS:,} customers")
    for name, before, after in zip(names, without, with_signals, strict=True):
        console.print(
            f"{name}: {before.events_per_s:,.0f} events/s without signals, {after.events_per_s:,.0f} with; requests p99 "
            f"{before.loaded.p99_ms:,.0f} and {after.loaded.p99_ms:,.0f} ms; processor {before.cpu_share:.2f} and "
            f"{after.cpu_share:.2f} cores; {after.looks_per_s:.1f} looks/s, looking {after.look_share:.0%} of the time, "
            f"{after.steps:,.0f} steps"
        )
        console.print(
            f"{name}: acknowledged to received p50 {after.percentile_s(50):.2f} s, p99 {after.percentile_s(99):.2f} s"
        )
    paced = with_signals[1]
    figures = [
        Figure(
            name="p99, acknowledged to received",
            measured=paced.percentile_s(99),
            must=PROMISED_S,
            aim=AIMED_S,
            unit="s",
            is_ceiling=True,
            evidence=f"{len(paced.delays_s)} crossings beside {number(paced.events_per_s)} events/s; "
            f"p50 {paced.percentile_s(50):.2f} s, max {paced.percentile_s(100):.2f} s",
        )
    ]
    console.print(figures_table(figures))
    if not all(figure.passes for figure in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
