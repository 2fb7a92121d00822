"""The first thing a request meets: its id, its key, its limits, and the headers of its answer; then the ingest lane or the framework.

Promises: nothing under `/v1` is looked up before the key is known to be right; a body is bounded in size and time whatever route it
goes to; an answer that nobody reads is given up; each request has one line in the log, without its query, which may hold names. Events that
were taken and allowances that were answered from memory are counted instead.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from tallystick.api_key import ApiKey
from tallystick.errors import TallystickError

from . import auth, logs
from .allowance_lane import AllowanceLane, is_asked_for
from .answer_headers import SECURITY, Headers, refusal_headers
from .asgi import Application, Message, Receive, Scope, Send
from .body_budget import ArrivingBody, BodyBudget, body_too_slow
from .cors import Cors
from .ingest_lane import ROUTE as INGEST_ROUTE
from .ingest_lane import IngestLane
from .metrics import HttpCounts
from .path_keys import hide_slashes
from .problem import INTERNAL, Refusal, encode_problem, refusal_of
from .request_ids import HEADER as REQUEST_ID
from .request_ids import RequestIds
from .settings import Settings
from .store_access import StoreAccess

_LOG = logs.logger("http")


class Front:
    """The ASGI application that the server runs."""

    def __init__(
        self,
        *,
        framework: Application,
        lane: IngestLane,
        access: StoreAccess,
        settings: Settings,
        budget: BodyBudget,
        request_ids: RequestIds,
        wrong_keys: auth.WrongKeys,
        counts: HttpCounts,
    ) -> None:
        self.framework, self._lane, self._access = framework, lane, access
        self._allowances = AllowanceLane(access=access, request_ids=request_ids, counts=counts)
        self.budget, self.request_ids, self.wrong_keys = budget, request_ids, wrong_keys
        self.counts = counts
        self.end_answers = access.large.end
        self._cors = Cors(settings.cors_origins)
        self._metrics_open = settings.metrics_open
        self.body_bytes_max = settings.body_bytes_max
        self.body_timeout_s = settings.body_timeout_s
        self.answer_timeout_s = settings.answer_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the process's start and end on."""
        kind = scope["type"]
        if kind == "http":
            scope.setdefault("state", {})  # a server may leave it out
            if self._cors.origins:
                if (preflight := self._cors.preflight(scope)) is not None:
                    await _send_all(send, 204, preflight, b"")
                    return
                send = self._cors.with_headers(scope, send)
            if scope["path"] in {INGEST_ROUTE, INGEST_ROUTE + "/"} and scope["method"] == "POST":
                await self._lane(scope, receive, send)
            elif not (is_asked_for(scope) and await self._allowances.answer(scope, send)):
                await _Exchange(self, scope, receive, send).answer()
        elif kind == "lifespan":
            await self.framework(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _is_open(self, path: str) -> bool:
        # The rest (health, documents) is open, and what is nowhere is a 404: only what may hold data asks for a key first.
        return not (path.startswith("/v1") or (path == "/metrics" and not self._metrics_open))

    async def let_in(self, scope: Scope, headers: dict[bytes, bytes]) -> ApiKey | None:
        """Return the key of a request, None for a route that is open. Raises `Refusal`."""
        if self._is_open(scope["path"]):
            return None
        try:
            return auth.authenticate(self._access.store, headers)
        except auth.WrongKey:
            await self.wrong_keys.hold_back(scope["client"])
            raise


class _Exchange:
    """One request to the framework and its answer."""

    def __init__(self, front: Front, scope: Scope, receive: Receive, send: Send) -> None:
        self._front, self._scope, self._receive, self._send = front, scope, receive, send
        self._headers = dict(scope["headers"])
        self._request_id = front.request_ids.of(self._headers)
        self._path = scope["raw_path"].decode("latin-1")[:300]
        self._status = 0
        self._started = perf_counter()
        self._arriving = ArrivingBody(front.budget, bytes_max=front.body_bytes_max)
        self._is_body_whole = False

    async def answer(self) -> None:
        """Let the request through to the framework, or refuse it."""
        scope, front = self._scope, self._front
        try:
            key = await front.let_in(scope, self._headers)
            hide_slashes(scope)
            scope["auth"] = key
            scope["state"]["request_id"] = self._request_id.decode()
            await front.framework(scope, self._receive_bounded, self._send_dressed)
        except TallystickError as error:
            await self._refuse(refusal_of(error) or self._unexpected(error))
        except TimeoutError:
            _LOG.info("an answer was not read", path=self._path, request_id=self._request_id.decode())
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a request: logged with its id, answered as 500
            await self._refuse(self._unexpected(error))
        finally:
            self._arriving.release()
            front.end_answers(scope["state"])
            self._log()

    async def _receive_bounded(self) -> Message:
        if self._is_body_whole:
            return await self._receive()
        timeout_s = self._front.body_timeout_s
        left_s = self._started + timeout_s - perf_counter()
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                message = await self._receive()
        except TimeoutError:
            raise body_too_slow(timeout_s) from None
        if message["type"] == "http.request":
            _, self._is_body_whole = self._arriving.take(message)
        return message

    async def _send_dressed(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = list[tuple[bytes, bytes]](message["headers"])
            named = {name for name, _ in headers}
            headers += [pair for pair in SECURITY if pair[0] not in named]
            message["headers"] = [*headers, (REQUEST_ID, self._request_id)]
        async with asyncio.timeout(self._front.answer_timeout_s):
            await self._send(message)

    async def _refuse(self, refusal: Refusal) -> None:
        if self._status:
            return  # the answer had begun: the server ends the connection, so that half of it is not taken for all
        body = encode_problem(refusal, self._request_id.decode())
        self._status = refusal.status
        headers = [*refusal_headers(refusal, len(body)), (REQUEST_ID, self._request_id), *SECURITY]
        await _send_all(self._send, refusal.status, headers, body)

    def _unexpected(self, error: Exception) -> Refusal:
        _LOG.error("a request failed", path=self._path, request_id=self._request_id.decode(), exc_info=error)
        return INTERNAL

    def _log(self) -> None:
        duration_s = perf_counter() - self._started
        template = str(self._scope.get("path_template") or "unmatched")
        method = str(self._scope["method"])
        self._front.counts.count(method if template != "unmatched" else "any", template, self._status, duration_s)
        quiet = template.startswith(("/health", "/metrics"))
        (_LOG.debug if quiet else _LOG.info)(
            "request",
            method=method,
            path=self._path,
            status=self._status,
            ms=round(duration_s * 1_000, 2),
            request_id=self._request_id.decode(),
        )


async def _send_all(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
