"""The way in for events: `POST /v1/events` as a bare ASGI callable, in front of the framework.

Promises: an answer says what is on disk; the body is limited while it is read; small bodies are decoded where they arrive, larger and
compressed ones in a bounded pool of threads; answers of one commit come back to the event loop in one call.
Does not: appear in the framework's routing; the route `events.controller` documents it. Under our own server most small requests
do not come here at all: see `short_way`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

from tallystick.api_key import Scope as KeyScope
from tallystick.errors import TallystickError
from tallystick.store import IngestAnswer, Store

from . import auth
from .answer_headers import SECURITY
from .answer_mailbox import AnswerMailbox
from .asgi import Receive, Scope, Send
from .body_budget import ArrivingBody, BodyBudget, SenderGone, body_too_large, body_too_slow
from .event_decoding import EventDecoding, checked_encoding
from .ingest_answer import answered, failed, refused
from .metrics import HttpCounts
from .problem import refusal_of
from .request_ids import HEADER as REQUEST_ID
from .request_ids import RequestIds
from .settings import Settings
from .store_access import StoreAccess

ROUTE = "/v1/events"
# Set in the state of a request whose body was found to be none that decodes plainly.
NOT_PLAIN = "not_plain"
# Events that are not plainly right cost up to 50 µs each to judge; so many bytes hold some twenty.
_DOUBTFUL_INLINE_BYTES = 4_096


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
        mailbox: AnswerMailbox,
    ) -> None:
        self._mailbox = mailbox
        self._access, self._decoding, self._budget = access, decoding, budget
        self._request_ids, self._wrong_keys, self._counts = request_ids, wrong_keys, counts
        self._bytes_max = settings.body_bytes_max
        self._inline_bytes = settings.decode_inline_bytes
        self._body_timeout_s = settings.body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = perf_counter()
        headers = dict(scope["headers"])
        request_id = self._request_ids.of(headers)
        try:
            answer = await self._ingest(headers, scope, receive)
            status, body, own = answered(answer, request_id)
        except SenderGone:
            return
        except TallystickError as error:
            refusal = refusal_of(error) or failed(error, request_id)
            status, body, own = refused(refusal, request_id)
        except Exception as error:  # noqa: BLE001 - the edge of a request: logged with its id, answered as 500
            status, body, own = refused(failed(error, request_id), request_id)
        await send(
            {"type": "http.response.start", "status": status, "headers": [*own, (REQUEST_ID, request_id), *SECURITY]}
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._counts.count("POST", ROUTE, status, perf_counter() - started)

    async def _ingest(self, headers: Mapping[bytes, bytes], scope: Scope, receive: Receive) -> IngestAnswer:
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
            body = await self._read(arriving, receive)
            batch = None
            if not encoding and len(body) <= self._inline_bytes:
                if NOT_PLAIN not in scope["state"]:
                    batch = self._decoding.decode_plain(body, media_type)
                if batch is None and len(body) <= _DOUBTFUL_INLINE_BYTES:
                    batch = self._decoding.decode(body, media_type)
            if batch is None:
                batch = await self._decoding.decode_in_thread(body, media_type, encoding)
            del body
            return await self._mailbox.ask(store, batch)
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

    async def _read(self, arriving: ArrivingBody, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._body_timeout_s):
                return await arriving.read(receive)
        except TimeoutError:
            raise body_too_slow(self._body_timeout_s) from None
