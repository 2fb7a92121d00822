"""The way in for events: `POST /v1/events` as a bare ASGI callable, in front of the framework.

Promises: an answer says what is on disk; the body is limited while it is read; small bodies are decoded where they arrive, larger and
compressed ones in a bounded pool of threads; answers of one commit come back to the event loop in one call.
Does not: appear in the framework's routing. Measured on 2 cores, 64 connections: 11,000 requests/s through a route, 42,000 here; the
route `events.controller` documents it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from time import perf_counter

from tallystick.api_key import Scope as KeyScope
from tallystick.errors import TallystickError
from tallystick.event_batch import EventBatch
from tallystick.store import IngestAnswer, Store

from . import auth, logs
from .answer_headers import SECURITY, Headers, refusal_headers
from .asgi import Receive, Scope, Send
from .body_budget import ArrivingBody, BodyBudget, SenderGone, body_too_large, body_too_slow
from .event_decoding import EventDecoding, checked_encoding
from .ingest_answer import answered
from .metrics import HttpCounts
from .problem import INTERNAL, Refusal, encode_problem, refusal_of
from .request_ids import HEADER as REQUEST_ID
from .request_ids import RequestIds
from .settings import Settings
from .store_access import StoreAccess
from .whole_requests import ANSWER_AT_ONCE, BODY_IS_WHOLE, AnswerAtOnce

ROUTE = "/v1/events"
# Events that are not plainly right cost up to 50 µs each to judge; so many bytes hold some twenty.
_DOUBTFUL_INLINE_BYTES = 4_096
_LOG = logs.logger("ingest")


class AnswerMailbox:
    """Brings answers from the writer's thread to the event loop, many in one call.

    The writer finishes a commit and calls `done` for each of its requests, hundreds at once: waking the loop for each would cost more
    than the answer. Only the first of them wakes it; the loop then takes all that is there.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[asyncio.Future[IngestAnswer], IngestAnswer | TallystickError]] = deque()
        self._is_woken = False

    async def submit(self, store: Store, batch: EventBatch) -> IngestAnswer:
        """Queue the batch and wait for its answer. Raises `Unavailable`."""
        future: asyncio.Future[IngestAnswer] = self._loop.create_future()
        store.submit(batch, partial(self._deliver, future))
        return await future

    def _deliver(self, future: asyncio.Future[IngestAnswer], answer: IngestAnswer | TallystickError) -> None:
        self._arrived.append((future, answer))
        # Set before the call, cleared by the loop before it looks: an answer is seen by this wake-up or makes the next one.
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.call_soon_threadsafe(self._open)
            except RuntimeError:
                _LOG.debug("answers after the event loop ended", count=len(self._arrived))

    def _open(self) -> None:
        self._is_woken = False
        while self._arrived:
            future, answer = self._arrived.popleft()
            if future.done():
                continue
            if isinstance(answer, TallystickError):
                future.set_exception(answer)
            else:
                future.set_result(answer)


class IngestLane:
    """The ASGI callable; one for the process."""

    def __init__(
        self,
        *,
        access: StoreAccess,
        decoding: EventDecoding,
        settings: Settings,
        budget: BodyBudget,
        request_ids: RequestIds,
        wrong_keys: auth.WrongKeys,
        counts: HttpCounts,
    ) -> None:
        self._access, self._decoding, self._budget = access, decoding, budget
        self._request_ids, self._wrong_keys, self._counts = request_ids, wrong_keys, counts
        self._bytes_max = settings.body_bytes_max
        self._inline_bytes = settings.decode_inline_bytes
        self._body_timeout_s = settings.body_timeout_s
        self._mailbox: AnswerMailbox | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = perf_counter()
        mailbox = self._mailbox
        if mailbox is None:
            mailbox = self._mailbox = AnswerMailbox(asyncio.get_running_loop())
        headers = dict(scope["headers"])
        request_id = self._request_ids.of(headers)
        try:
            answer = await self._ingest(headers, scope, receive, mailbox)
            status, body, own = answered(answer, request_id)
        except SenderGone:
            return
        except TallystickError as error:
            refusal = refusal_of(error) or _unexpected(error, request_id)
            status, body, own = _refused(refusal, request_id)
        except Exception as error:  # noqa: BLE001 - the edge of a request: logged with its id, answered as 500
            status, body, own = _refused(_unexpected(error, request_id), request_id)
        at_once: AnswerAtOnce | None = scope["state"].get(ANSWER_AT_ONCE) if status == HTTPStatus.OK else None
        if at_once is not None and at_once.write(body, request_id):
            self._counts.count("POST", ROUTE, status, perf_counter() - started)
            return
        await send(
            {"type": "http.response.start", "status": status, "headers": [*own, (REQUEST_ID, request_id), *SECURITY]}
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._counts.count("POST", ROUTE, status, perf_counter() - started)

    async def _ingest(
        self, headers: Mapping[bytes, bytes], scope: Scope, receive: Receive, mailbox: AnswerMailbox
    ) -> IngestAnswer:
        store = self._access.store
        await self._let_in(store, headers, scope)
        media_type = headers.get(b"content-type", b"application/json").decode("latin-1")
        encoding = headers.get(b"content-encoding", b"")
        if encoding:
            encoding = checked_encoding(encoding)
        length = headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length[:20]) > self._bytes_max:
            raise body_too_large(self._bytes_max)
        arriving = ArrivingBody(self._budget, bytes_max=self._bytes_max)
        try:
            body = await self._read(arriving, scope, receive)
            batch = None
            if not encoding and len(body) <= self._inline_bytes:
                batch = self._decoding.decode_plain(body, media_type)
                if batch is None and len(body) <= _DOUBTFUL_INLINE_BYTES:
                    batch = self._decoding.decode(body, media_type)
            if batch is None:
                batch = await self._decoding.decode_in_thread(body, media_type, encoding)
            del body
            return await mailbox.submit(store, batch)
        finally:
            arriving.release()

    async def _let_in(self, store: Store, headers: Mapping[bytes, bytes], scope: Scope) -> None:
        try:
            key = auth.authenticate(store, headers)
        except auth.WrongKey:
            await self._wrong_keys.hold_back(scope["client"])
            raise
        if not key.allows(KeyScope.INGEST):
            raise auth.WrongScope(KeyScope.INGEST)

    async def _read(self, arriving: ArrivingBody, scope: Scope, receive: Receive) -> bytes:
        if BODY_IS_WHOLE in scope["state"]:
            return await arriving.read(receive)
        try:
            async with asyncio.timeout(self._body_timeout_s):
                return await arriving.read(receive)
        except TimeoutError:
            raise body_too_slow(self._body_timeout_s) from None


def _refused(refusal: Refusal, request_id: bytes) -> tuple[int, bytes, Headers]:
    body = encode_problem(refusal, request_id.decode())
    return refusal.status, body, refusal_headers(refusal, len(body))


def _unexpected(error: Exception, request_id: bytes) -> Refusal:
    _LOG.error("ingest failed", request_id=request_id.decode(), exc_info=error)
    return INTERNAL
