"""A process that feeds an engine and writes down what it was told, until it is killed or has sent enough.

Started as `python -m tests.crash.engine_load DIRECTORY WITNESS BATCHES`. The witness file says, line by line and synced: `b N` batch N is
acknowledged, `v N` event N is voided. Signals take steps beside it (`signal_load`). Started again on the same files it goes on where the
witness ends: what was not acknowledged is sent again, and the last acknowledged batch as well, which must be all duplicates. Exit code 3
and a line on stderr if an answer is wrong.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from tallystick.engine import Engine
from tallystick.errors import TallystickError, Unavailable
from tallystick.failpoints import arm_from_environment
from tallystick.identity import Identity
from tallystick.instant import NS_PER_S
from tallystick.store import IngestAnswer
from tallystick.testing import ManualClock
from tests.crash import numbered_events, signal_load, small_engine
from tests.crash.witness import acknowledged

WAVE_BATCHES: Final = 3
_REFUSALS_MAX: Final = 2_000
_REFUSED_PAUSE_S: Final = 0.01


class WrongAnswer(Exception):
    """The engine said what cannot be."""


class Load:
    """The sending side."""

    def __init__(self, engine: Engine, witness: Path, clock: ManualClock) -> None:
        told = acknowledged(witness.read_bytes() if witness.exists() else b"")
        self._engine, self._clock = engine, clock
        self._witness = os.open(witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._told = set(told.batches)
        self.next_batch = max(self._told, default=-1) + 1
        self._refusals = 0
        self._never = threading.Event()

    def send_again_the_last(self) -> None:
        """Check that what was acknowledged before is a duplicate now."""
        if self._told:
            answer = self._answers([max(self._told)])[0]
            if answer is not None and answer.duplicates != numbered_events.BATCH_EVENTS:
                raise WrongAnswer(f"batch {max(self._told)} was acknowledged, and is answered {answer} now")

    def send_wave(self) -> None:
        """Send a few batches at once, then now and then a refused event and a void."""
        # A wave begins where it began before a crash, so some of it may have been acknowledged already.
        wave = range(self.next_batch, self.next_batch + WAVE_BATCHES)
        missing: list[int] = [
            batch for batch in range(max(0, wave.start - WAVE_BATCHES), wave.stop) if batch not in self._told
        ]
        while missing:
            for batch, answer in zip(missing, self._answers(missing), strict=True):
                if answer is None:
                    continue
                if answer.accepted + answer.duplicates != numbered_events.BATCH_EVENTS:
                    raise WrongAnswer(f"batch {batch} is answered {answer}")
                self._tell(f"b {batch}")
                self._told.add(batch)
            missing = [batch for batch in missing if batch not in self._told]
        self.next_batch = wave.stop
        if wave.start % (2 * WAVE_BATCHES) == 0:
            self._void(numbered_events.numbers(wave.start)[0])
            self._send_refused(wave.start)
            self._ask()
            self._take_steps(wave.start)

    def _ask(self) -> None:
        """Have states of segments made and written, as questions do."""
        small_engine.figure(self._engine, small_engine.SUM)
        self._engine.states_view().partials.wait()

    def _answers(self, batches: list[int]) -> list[IngestAnswer | None]:
        futures: list[Future[IngestAnswer | TallystickError]] = []
        for batch in batches:
            future: Future[IngestAnswer | TallystickError] = Future()
            futures.append(future)
            try:
                body = numbered_events.body(numbered_events.numbers(batch))
                self._engine.submit(small_engine.batch_of(body), future.set_result)
            except Unavailable as error:
                future.set_result(error)
        return [self._taken(future.result()) for future in futures]

    def _taken(self, answer: IngestAnswer | TallystickError) -> IngestAnswer | None:
        if isinstance(answer, IngestAnswer):
            return answer
        self._refusals += 1
        if not isinstance(answer, Unavailable) or self._refusals > _REFUSALS_MAX:
            raise WrongAnswer(f"refused: {answer!r}")
        self._never.wait(_REFUSED_PAUSE_S)
        return None

    def _void(self, number: int) -> None:
        try:
            identity = Identity("", numbered_events.event_id(number))
            self._engine.void_events([identity], reason="test", remember_missing=False)
        except Unavailable:
            return
        self._tell(f"v {number}")

    def _take_steps(self, number: int) -> None:
        try:
            signal_load.set_up(self._engine)
            signal_load.take_steps(self._engine, self._clock, number)
        except Unavailable:
            return

    def _send_refused(self, number: int) -> None:
        # Into the quarantine: nobody is promised anything about it, but its table must follow the log.
        refused: Future[IngestAnswer | TallystickError] = Future()
        try:
            self._engine.submit(
                small_engine.batch_of(b'[{"id": "refused-%d", "type": "call"}]' % number), refused.set_result
            )
        except Unavailable:
            return
        refused.result()

    def _tell(self, line: str) -> None:
        os.write(self._witness, f"{line}\n".encode())
        os.fsync(self._witness)


def _go_on_from_the_last_life(engine: Engine, clock: ManualClock) -> None:
    # A message that waits would not be due for hours if time began anew, and those behind it would be joined meanwhile.
    block = engine.log_head().block
    if block:
        clock.advance(max(0, engine.block(block).written_at - clock.now()) / NS_PER_S)


def run(directory: Path, witness: Path, batches: int) -> None:
    """Feed until so many batches are acknowledged."""
    arm_from_environment()
    clock = ManualClock(small_engine.NOW)
    engine = small_engine.opened(directory, clock=clock)
    _go_on_from_the_last_life(engine, clock)
    load = Load(engine, witness, clock)
    load.send_again_the_last()
    while load.next_batch < batches:
        load.send_wave()
    engine.close()


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    except WrongAnswer as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(3)
