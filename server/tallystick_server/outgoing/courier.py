"""The courier: takes what is due out of the outbox, sends it, and records what came of it.

One task a channel, and as many channels at a time as have something to send, so that a receiver that hangs keeps nobody else waiting;
within a channel one message after the other, each in the order that the outbox gives. Nothing is decided here that the store does not
keep: after a crash the outbox gives the same messages out again, under the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from tallystick.entropy import Entropy
from tallystick.errors import NotFound, TallystickError, Unavailable
from tallystick.instant import NS_PER_MS, Clock, Instant
from tallystick.signals.channel import Channel
from tallystick.signals.delivery import Attempt, Delivery, Outcome
from tallystick.signals.signal import Signal
from tallystick.store import Store
from tallystick_server import logs
from tallystick_server.problem import Refusal

from .payload import is_test
from .retry import retry_due_at
from .sent import Sent

T = TypeVar("T")
_LOG = logs.logger("courier")
_TAKEN_AT_ONCE = 8
# The system's clock may be set while nobody looks, so no wait is longer.
_LOOK_EVERY_S = 1.0
_RECORD_AGAIN_S = 1.0


class Sender(Protocol):
    """Who carries a message."""

    async def send(self, channel: Channel, delivery: Delivery, signals: dict[str, Signal]) -> Sent:
        """Try once; whatever goes wrong is an answer."""
        ...


class Courier:
    """Runs until it is stopped; `in_thread` runs short calls of the store."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        *,
        clock: Clock,
        entropy: Entropy,
        in_thread: Callable[[Callable[[], object]], Awaitable[object]],
    ) -> None:
        self._store, self._sender, self._clock, self._entropy = store, sender, clock, entropy
        self._in_thread = in_thread
        self._wakeup = asyncio.Event()
        self._rounds: dict[str, asyncio.Task[None]] = {}
        self._paused_until: dict[str, Instant] = {}

    async def run(self) -> None:
        """Send what is due, for ever."""
        loop = asyncio.get_running_loop()
        self._store.outbox.watch(lambda: _wake(loop, self._wakeup))
        try:
            while True:
                self._wakeup.clear()
                self._start_rounds()
                try:
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await self._wakeup.wait()
                except TimeoutError:
                    continue
        finally:
            rounds = list(self._rounds.values())
            for task in rounds:
                task.cancel()
            await asyncio.gather(*rounds, return_exceptions=True)

    def _start_rounds(self) -> None:
        now = self._clock.now()
        channels = {channel.key: channel for channel in self._store.outbox.channels()}
        for key, queue in self._store.outbox.queues().items():
            channel = channels.get(key)
            if channel is None or channel.disabled_at is not None or key in self._rounds:
                continue
            if queue.due_at is None or queue.due_at > now or self._paused_until.get(key, Instant(0)) > now:
                continue
            task = asyncio.create_task(self._round(key))
            self._rounds[key] = task
            task.add_done_callback(lambda _, key=key: self._end_round(key))

    def _end_round(self, key: str) -> None:
        self._rounds.pop(key, None)
        self._wakeup.set()

    async def _round(self, key: str) -> None:
        """Send what one channel is to be sent now."""
        taken: list[Delivery] = []
        try:
            taken = await self._ask(lambda: self._store.outbox.take(key, limit=_TAKEN_AT_ONCE))
            if not taken:
                # What is due waits for another of its signal.
                await asyncio.sleep(_LOOK_EVERY_S)
            while taken:
                channel = self._store.outbox.channel(key)
                if channel.disabled_at is not None or self._paused_until.get(key, Instant(0)) > self._clock.now():
                    return
                await self._try(channel, taken[0])
                del taken[0]
        except (Unavailable, Refusal) as error:
            _LOG.warning("deliveries wait: the store does not take writes", channel=key, error=str(error))
            await asyncio.sleep(_RECORD_AGAIN_S)
        except NotFound:
            return  # The channel was deleted, and with it what waited.
        except TallystickError as error:
            _LOG.error("a channel's deliveries could not be taken", channel=key, error=str(error))
            await asyncio.sleep(_RECORD_AGAIN_S)
        except Exception:  # noqa: BLE001 - the edge of a round: logged, and the outbox gives the same out again
            _LOG.exception("a mistake while sending", channel=key)
            await asyncio.sleep(_RECORD_AGAIN_S)
        finally:
            self._store.outbox.give_back(taken)

    async def _try(self, channel: Channel, delivery: Delivery) -> None:
        started = self._clock.now()
        signals = {signal.key: signal for signal in self._store.signals.all() if signal.key in _named(delivery)}
        sent = await self._sender.send(channel, delivery, signals)
        attempt = self._attempt(delivery, sent, started)
        disabled = {channel.key: "it answered 410 Gone"} if sent.is_gone else {}
        if sent.retry_after_s is not None and attempt.due_at is not None:
            self._paused_until[channel.key] = attempt.due_at
        await self._recorded(attempt, disabled)
        said = {"channel": channel.key, "delivery": delivery.id, "event_type": delivery.event.value}
        if sent.is_delivered:
            _LOG.info("delivered", **said, status=sent.status)
        else:
            _LOG.warning("not delivered", **said, status=sent.status, detail=sent.detail, outcome=attempt.outcome.value)
        if disabled:
            _LOG.warning("channel disabled", channel=channel.key, reason=disabled[channel.key])

    async def _recorded(self, attempt: Attempt, disabled: dict[str, str]) -> None:
        """Record an attempt, however long that takes: until it is recorded, it would be made again."""
        while True:
            try:
                await self._ask(lambda: self._store.outbox.record_attempts([attempt], disabled=disabled))
            except (Unavailable, Refusal) as error:
                _LOG.warning("an attempt cannot be recorded yet", error=str(error))
                await asyncio.sleep(_RECORD_AGAIN_S)
            else:
                return

    def _attempt(self, delivery: Delivery, sent: Sent, started: Instant) -> Attempt:
        now = self._clock.now()
        due_at: Instant | None = None
        if not (sent.is_delivered or sent.is_gone or is_test(delivery)):
            since = sum(attempt.at >= delivery.tried_from for attempt in delivery.attempts)
            due_at = retry_due_at(
                attempt=since + 1,
                now=now,
                tried_from=delivery.tried_from,
                retry_after_s=sent.retry_after_s,
                entropy=self._entropy,
            )
        outcome = Outcome.DELIVERED if sent.is_delivered else Outcome.FAILED if due_at is None else Outcome.RETRY
        return Attempt(
            name=delivery.name,
            at=now,
            duration_ms=max(0, (now - started) // NS_PER_MS),
            outcome=outcome,
            status=sent.status,
            detail=sent.detail,
            due_at=due_at,
        )

    async def _ask(self, call: Callable[[], T]) -> T:
        answer: T = await self._in_thread(call)  # type: ignore[assignment] - what the call returns
        return answer


def _named(delivery: Delivery) -> set[str]:
    """Return the keys of the signals that a message names."""
    steps = [delivery.step] if delivery.step is not None else []
    if delivery.summary is not None:
        steps += delivery.summary.top
    return {step.signal for step in steps}


def _wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)
