"""Server-sent events: accepted events as they land, for one reader.

Promises: `id` of each is its position, so that a reader that comes back with `Last-Event-ID` gets what it missed, in order and without
gaps; a reader that falls behind is told how many it missed (`event: missed`) rather than slowing ingest, and so is one that asks for a
sample, which costs what it holds and not what lands; a comment is sent when
nothing lands for a while, so that both ends notice a dead connection; the stream ends when the appliance drains.
Does not: keep a place for ever. There are as many streams as threads to wait in (`streams_max`); the next one is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from tallystick.errors import TallystickError
from tallystick.event import Position, StoredEvent
from tallystick.store import Subscription
from tallystick_server.problem import busy
from tallystick_server.store_access import StoreAccess

from .schemas import event_out

T = TypeVar("T")

_HEARTBEAT = b": still here\n\n"
_HEARTBEAT_EVERY_S = 10.0
_WAIT_S = 0.5
_REPLAY_PIECE = 500
_SAMPLES_PER_S = 4


class EventStream:
    """One reader's stream; iterate `chunks` once."""

    def __init__(
        self,
        access: StoreAccess,
        *,
        customer: str | None,
        event_type: str | None,
        after: Position | None,
        sample: int | None = None,
    ) -> None:
        if access.streams_open >= access.streams_max:
            raise busy("too many streams are open", retry_after_s=10)
        self._access, self._store = access, access.store
        self._customer, self._event_type = customer, event_type
        self._after, self._sample = after, sample
        self._sent = Position(0)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the stream until the reader leaves or the appliance drains."""
        self._access.streams_open += 1
        subscription: Subscription | None = None
        try:
            subscription = await self._in_thread(self._watch)
            yield b"retry: 2000\n\n"
            if self._after is not None:
                # Watched first, replayed then: what lands meanwhile waits in the subscription, and is told apart by its position.
                async for chunk in self._replay(self._after):
                    yield chunk
            async for chunk in self._live(subscription):
                yield chunk
        except TallystickError as error:
            yield b"event: error\ndata: " + msgspec.json.encode({"detail": str(error)}) + b"\n\n"
        finally:
            self._access.streams_open -= 1
            if subscription is not None:
                subscription.close()

    async def _live(self, subscription: Subscription) -> AsyncIterator[bytes]:
        silent_s = 0.0
        while not self._access.is_draining:
            events, missed = await self._taken(subscription)
            silent_s = 0.0 if events or missed else silent_s + _WAIT_S
            if missed:
                yield b'event: missed\ndata: {"missed":%d}\n\n' % missed
            if chunk := self._formatted(events):
                yield chunk
            elif silent_s >= _HEARTBEAT_EVERY_S:
                silent_s = 0.0
                yield _HEARTBEAT

    async def _taken(self, subscription: Subscription) -> tuple[list[StoredEvent], int]:
        if self._sample is None:
            return await self._in_thread(lambda: subscription.take(_WAIT_S))
        piece = max(self._sample // _SAMPLES_PER_S, 1)
        taken = await self._in_thread(lambda: subscription.take_newest(piece, _WAIT_S))
        # What lands meanwhile waits for the next piece; its pace is what keeps a flood from being written out.
        await asyncio.sleep(piece / self._sample)
        return taken

    async def _replay(self, after: Position) -> AsyncIterator[bytes]:
        scan = await self._in_thread(lambda: self._store.scan_log(after=after))
        while not self._access.is_draining:
            piece = await self._in_thread(lambda: _piece(scan))
            if not piece:
                return
            if chunk := self._formatted([event for event in piece if self._is_asked_for(event)]):
                yield chunk
            self._sent = max(self._sent, piece[-1].position)

    def _watch(self) -> Subscription:
        return self._store.watch(customer=self._customer, event_type=self._event_type)

    def _is_asked_for(self, stored: StoredEvent) -> bool:
        return (self._customer is None or stored.event.customer == self._customer) and (
            self._event_type is None or stored.event.type == self._event_type
        )

    def _formatted(self, events: list[StoredEvent]) -> bytes:
        fresh = [event for event in events if event.position > self._sent]
        if fresh:
            self._sent = fresh[-1].position
        return b"".join(
            b"id: %d\nevent: event\ndata: %b\n\n" % (event.position, msgspec.json.encode(event_out(event)))
            for event in fresh
        )

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._access.waits, call)


def _piece(scan: Iterator[StoredEvent]) -> list[StoredEvent]:
    return list(islice(scan, _REPLAY_PIECE))
