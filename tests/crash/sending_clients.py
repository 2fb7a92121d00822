"""Several clients of a real appliance, each sending numbered batches until they are acknowledged, whatever happens to the appliance.

Promises: a batch is sent again until it is answered with 200; what was answered is in `acknowledged`; an answer that cannot be ends the
client with an error that `close` raises. While paused, nothing is under way. Bounded: so many threads, and an end to their patience.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Self

import httpx

from tests.appliance import ADMIN_KEY
from tests.crash import numbered_events
from tests.crash.numbered_events import BATCH_EVENTS, numbers

_PATIENCE_S = 120.0
_PAUSE_S = 0.02


class SendingClients:
    """The clients, running from `with` on."""

    def __init__(
        self,
        url: str,
        *,
        clients: int = 6,
        answer_timeout_s: float = 10.0,
        first_batch: int = 0,
        padding_bytes: int = 0,
    ) -> None:
        self._url = url
        self._answer_timeout_s = answer_timeout_s
        self._numbers = count(first_batch)
        self._padding_bytes = padding_bytes
        self._state = threading.Condition()
        self._is_paused = self._is_ending = False
        self._idle = 0
        self._under_way: set[int] = set()
        self.acknowledged: set[int] = set()
        self.refusals: list[httpx.Response] = []
        self.sent_again = 0
        self.failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._state:
            self._is_ending, self._is_paused = True, False
            self._state.notify_all()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        if kind is None and self.failures:
            raise self.failures[0]

    def await_acknowledged(self, more: int) -> None:
        """Wait until so many further batches are acknowledged."""
        with self._state:
            goal = len(self.acknowledged) + more
            reached = self._state.wait_for(lambda: len(self.acknowledged) >= goal or self.failures, _PATIENCE_S)
            assert not self.failures, self.failures
            assert reached, f"{len(self.acknowledged)} of {goal} batches"

    def await_sent_again(self, more: int) -> None:
        """Wait until so many requests failed, or were refused, and are sent again."""
        with self._state:
            goal = self.sent_again + more
            assert self._state.wait_for(lambda: self.sent_again >= goal, _PATIENCE_S), "nothing was sent again"

    def await_refusal_like(self, *problems: str) -> httpx.Response:
        """Wait for the next refusal whose problem has one of these types, and return it."""
        with self._state:
            seen = len(self.refusals)
            assert self._state.wait_for(lambda: self._first(problems, seen) or self.failures, _PATIENCE_S), (
                f"nothing was refused with {problems}: {[each.text for each in self.refusals[seen:][:3]]}"
            )
            found = self._first(problems, seen)
            assert found is not None, self.failures
            return found

    def _first(self, problems: tuple[str, ...], start: int) -> httpx.Response | None:
        return next((each for each in self.refusals[start:] if each.json()["type"] in problems), None)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Let no request be under way for the length of a `with`; what was not acknowledged waits."""
        with self._state:
            self._is_paused = True
            assert self._state.wait_for(lambda: self._idle == len(self._threads), _PATIENCE_S)
        try:
            yield
        finally:
            with self._state:
                self._is_paused = False
                self._state.notify_all()

    @property
    def sent(self) -> set[int]:
        """Every batch that was sent, acknowledged or not."""
        with self._state:
            return self.acknowledged | self._under_way

    def _run(self) -> None:
        headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
        try:
            with httpx.Client(
                base_url=self._url, headers=headers, timeout=self._answer_timeout_s, trust_env=False
            ) as client:
                while not self._is_ending:
                    self._send_until_acknowledged(client)
        except Exception as error:  # noqa: BLE001 - carried to the test's own thread
            with self._state:
                self.failures.append(error)
                self._idle += 1
                self._state.notify_all()

    def _send_until_acknowledged(self, client: httpx.Client) -> None:
        with self._state:
            batch = next(self._numbers)
            self._under_way.add(batch)
        body = numbered_events.body(numbers(batch), padding=self._padding(batch))
        deadline = time.monotonic() + _PATIENCE_S
        while self._wait_while_paused():
            if time.monotonic() > deadline:
                raise AssertionError(f"batch {batch} was not taken for {_PATIENCE_S} s")
            try:
                answer = client.post("/v1/events", content=body)
            except httpx.TransportError:
                self._note_again(None)
                continue
            if answer.status_code != 200:
                assert answer.status_code in {429, 503}, answer.text
                assert "retry-after" in answer.headers
                self._note_again(answer)
                continue
            told = answer.json()
            assert (told["accepted"] + told["duplicates"], told["rejected"]) == (BATCH_EVENTS, []), told
            with self._state:
                self._under_way.discard(batch)
                self.acknowledged.add(batch)
                self._state.notify_all()
            return

    def _padding(self, batch: int) -> str:
        """Return text that no compression makes smaller, the same each time: it fills a disk."""
        return (
            random.Random(batch).randbytes(self._padding_bytes // 2).hex()
        )  # half as many bytes, each of them two letters

    def _wait_while_paused(self) -> bool:
        with self._state:
            self._idle += 1
            self._state.notify_all()
            self._state.wait_for(lambda: not self._is_paused or self._is_ending)
            self._idle -= 1
            return not self._is_ending

    def _note_again(self, refusal: httpx.Response | None) -> None:
        with self._state:
            self.sent_again += 1
            if refusal is not None:
                self.refusals.append(refusal)
            self._state.notify_all()
            self._state.wait_for(lambda: self._is_ending, _PAUSE_S)
