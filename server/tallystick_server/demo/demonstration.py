"""The demonstration, start to end: an appliance, its meters, the history, the replay, and the figures beside the published ones."""

from __future__ import annotations

import io
import time
from contextlib import nullcontext
from typing import Final

import msgspec

from tallystick.instant import NS_PER_S, Clock, Instant
from tallystick_server.cli.client import ApplianceClient
from tallystick_server.cli.terminal import Terminal, shown
from tallystick_server.cli.verify import ask

from .dashboard import Dashboard
from .figures import METER_KEYS, SIGNAL_WORDS, Figures
from .interruption import Interruption
from .pages import show_checks, show_customers, show_slices, size_of
from .replay import RESEND_EVERY, Answered, Replay
from .senders import SENDER_COUNT, Senders
from .throwaway_appliance import ThrowawayAppliance
from .trace import HISTORY_S, Request, event_json, read_trace, split

HISTORY_BATCH: Final = 250
SPEED: Final = 45.0
# A minute of it: who watches wants to look around.
WATCHED_SPEED: Final = 15.0
# What loading the history takes at most on a small machine; the trace is moved so that it ends when the replay does.
_HISTORY_ALLOWANCE_S: Final = 2.0


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen; `speed` is how many times as fast as it happened the last 15 minutes are replayed, None for what suits.

    `dashboard` opens the dashboard while they are; the figures are printed once it was closed.
    """

    speed: float | None = None
    dashboard: bool = False
    keep: bool = False
    crash: bool = False


class Demonstration:
    """One run; `run` returns the exit code."""

    def __init__(self, terminal: Terminal, clock: Clock, options: DemoOptions) -> None:
        self._terminal, self._clock, self._options = terminal, clock, options
        self._interruption = Interruption()
        self._requests = read_trace()
        self._speed = options.speed or (WATCHED_SPEED if options.dashboard else SPEED)

    def run(self) -> int:
        """Show everything; 0 when every figure agrees and the log verifies, 1 otherwise."""
        self._terminal.paragraph(
            "Every request that two language-model services took in one hour of November 2023, counted once. "
            "Azure Public Dataset, CC BY 4.0 (P. Patel et al., Splitwise, ISCA 2024). The times are moved so that it ends now."
        )
        self._terminal.say("")
        # The appliance is inside: also a closed terminal must not leave one behind, nor end this while it tidies up.
        with self._interruption, ThrowawayAppliance(self._interruption, keep=self._options.keep) as appliance:
            self._terminal.step(f"a throw-away appliance runs at {appliance.url} (process {appliance.process_id})")
            with appliance.client() as client:
                is_good = self._show(appliance, client)
            if self._options.keep:
                self._say_how_to_go_on(appliance)
            self._interruption.check()
        return 0 if is_good else 1

    def _show(self, appliance: ThrowawayAppliance, client: ApplianceClient) -> bool:
        history, live = split(self._requests)
        last_ns = self._requests[-1].offset_ns
        live_s = (last_ns / NS_PER_S - HISTORY_S) / self._speed
        end_ns = self._clock.now() + int((live_s + _HISTORY_ALLOWANCE_S) * NS_PER_S)
        start = Instant((end_ns - last_ns) // NS_PER_S * NS_PER_S)
        figures = Figures(client, start, Instant(start + last_ns + 1))
        figures.define_meters()
        self._terminal.step(f"{len(METER_KEYS)} meters are defined: {', '.join(METER_KEYS)}")
        if self._options.dashboard:
            figures.define_signal()
            self._terminal.step(f"a signal watches each customer's generated tokens: {SIGNAL_WORDS}")
        self._load_history(client, history, start)
        self._replay(appliance, client, live, start)
        if self._options.dashboard:
            firings = figures.firings()
            customers = len({firing.customer for firing in firings})
            self._terminal.step(
                f"the signal fired {len(firings)} times, for {customers} customers", is_good=bool(firings)
            )
        self._interruption.check()
        checks = figures.checks()
        show_checks(self._terminal, checks)
        show_slices(self._terminal, figures.slices())
        show_customers(self._terminal, figures.top_customers(8))
        self._interruption.check()
        is_verified = self._show_proof(appliance, client)
        return is_verified and all(check.agrees for check in checks)

    def _load_history(self, client: ApplianceClient, history: list[Request], start: Instant) -> None:
        started_s = time.monotonic()
        batches = [history[at : at + HISTORY_BATCH] for at in range(0, len(history), HISTORY_BATCH)]
        resent = sum(len(batch) for batch in batches[::RESEND_EVERY])
        with self._terminal.progress() as bar:
            answered = Answered(bar, "loading", len(history) + resent)
            with Senders(client, self._interruption, on_answer=answered) as senders:
                for number, batch in enumerate(batches):
                    self._interruption.check()
                    events = [event_json(request, start) for request in batch]
                    senders.send(events)
                    if number % RESEND_EVERY == 0:
                        senders.send(events)
                senders.wait()
        took_s = time.monotonic() - started_s
        self._terminal.step(
            f"history: {shown(len(history))} events of the first 45 minutes in {took_s:.1f} s "
            f"({(len(history) + resent) / took_s:,.0f} events/s); {_twice(resent, senders.duplicates)}",
        )

    def _replay(
        self, appliance: ThrowawayAppliance, client: ApplianceClient, live: list[Request], start: Instant
    ) -> None:
        if self._options.dashboard:
            self._terminal.step("the dashboard opens: `q` closes it, `?` lists its keys; then the figures come")
        # What is told meanwhile is written once the dashboard is closed.
        quiet = Terminal(io.StringIO(), io.StringIO(), for_person=True, err_for_person=False)
        watched = Dashboard(appliance, self._interruption) if self._options.dashboard else None
        with watched or nullcontext():
            replay = Replay(
                live,
                start,
                self._interruption,
                speed=self._speed,
                crash=self._options.crash,
                is_hurried=(lambda: watched.has_ended) if watched else (lambda: False),
            )
            replayed = replay.run(appliance, client, quiet if watched else self._terminal)
            if watched:
                watched.wait()
        if isinstance(quiet.out, io.StringIO):
            self._terminal.out.write(quiet.out.getvalue())
        if watched and watched.exit_code != 0:
            self._terminal.step(f"the dashboard ended with exit code {watched.exit_code}", is_good=False)
        self._terminal.step(
            f"replay: {shown(len(live))} events of the last minutes in {replayed.took_s:.1f} s by {SENDER_COUNT} senders at once; "
            f"{_twice(replayed.resent, replayed.duplicates - replayed.known)}"
        )
        if replayed.known:
            self._terminal.step(
                f"{shown(replayed.known)} events were on disk when it was killed, though their answers were lost: "
                "sent again, recognised, not counted again"
            )

    def _show_proof(self, appliance: ThrowawayAppliance, client: ApplianceClient) -> bool:
        self._terminal.heading("Proof")
        finding = ask(client)
        is_good = finding.first_bad_position is None and not finding.problems
        detail = "; ".join(finding.problems) or f"{shown(finding.events)} events in {shown(finding.blocks)} blocks"
        self._terminal.step(
            f"verify: the hash chain and every projection agree with the log ({detail})",
            is_good=is_good,
        )
        disk = appliance.disk_bytes()
        self._terminal.step(
            f"on disk: {size_of(disk)}, {disk / max(finding.events, 1):,.0f} bytes an event",
        )
        return is_good

    def _say_how_to_go_on(self, appliance: ThrowawayAppliance) -> None:
        self._terminal.heading("It is left running")
        say = self._terminal.say
        say(f"  export TALLYSTICK_URL={appliance.url} TALLYSTICK_API_KEY={appliance.admin_key}")
        say("  tallystick usage generated_tokens --from -1h --window minute --group-by service")
        say("  tallystick events tail")
        say(f"  kill {appliance.process_id} && rm -r {appliance.directory}        # when you have seen enough")


def _twice(resent: int, duplicates: int) -> str:
    return f"{shown(resent)} sent twice on purpose, {shown(duplicates)} answered as duplicates"
