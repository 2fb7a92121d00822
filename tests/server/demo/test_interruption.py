"""Signals to the demonstration: none is lost, whatever code it meets, and what waits ends soon."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import weakref
from collections.abc import Callable

import httpx
import pytest

from tallystick_server.cli.client import ApplianceClient
from tallystick_server.demo.interruption import Interruption
from tallystick_server.demo.senders import Senders

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SOON_S = 20.0


class Thing:
    """Something that goes out of use."""


class Finalized:
    """Something that runs code when it goes out of use."""

    def __init__(self, code: Callable[[], None]) -> None:
        self._code = code

    def __del__(self) -> None:
        self._code()


def overloaded() -> ApplianceClient:
    """Return a client of an appliance that never takes anything, so that senders wait and try again."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(503, headers={"Retry-After": "30"}))
    return ApplianceClient("http://127.0.0.1:1", "a-key", transport=transport)


def send_and_wait(client: ApplianceClient, interruption: Interruption, *, for_all: bool) -> None:
    """Send what is never taken, and wait for it in one of the two ways; only an interruption ends this."""
    with Senders(client, interruption) as senders:
        for _ in range(20):
            senders.send([b"{}"])
        if for_all:
            senders.wait()
        while True:
            senders.wait_for_acknowledged(1)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_in_the_callback_of_a_weak_reference_is_not_lost(number: signal.Signals) -> None:
    started_s = time.monotonic()
    with Interruption() as interruption:
        thing = Thing()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(number))
        del thing
        assert reference() is None
        with pytest.raises(KeyboardInterrupt):
            interruption.sleep(60)
    assert time.monotonic() - started_s < SOON_S


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_in_a_finalizer_is_not_lost(number: signal.Signals) -> None:
    with Interruption() as interruption:
        thing = Finalized(lambda: signal.raise_signal(number))
        del thing
        with pytest.raises(KeyboardInterrupt):
            interruption.check()


def test_without_a_signal_it_sleeps_its_time() -> None:
    started_s = time.monotonic()
    with Interruption() as interruption:
        interruption.sleep(0.25)
        interruption.check()
    assert time.monotonic() - started_s >= 0.25


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interruption():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("seed", range(20))
def test_at_any_moment_a_signal_ends_the_senders_and_leaves_no_thread(seed: int) -> None:
    rng = random.Random(seed)
    number = rng.choice(SIGNALS)
    timer = threading.Timer(rng.uniform(0, 0.03), os.kill, (os.getpid(), number))
    started_s = time.monotonic()
    with Interruption() as interruption, overloaded() as client:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            send_and_wait(client, interruption, for_all=rng.random() < 0.5)
        timer.join()
    assert time.monotonic() - started_s < SOON_S
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sender")]
