"""An asynchronous client of the appliance: every answer a struct, every failure one clear line.

Promises: decimals keep every digit (a struct's field is `Decimal`, or `ask_object` decodes numbers as `int` and `Decimal`); the key never
appears in a message; cancelling a call ends its connection, so that the appliance stops working for it. Does not retry: a screen asks
again by itself, and whoever changes something decides whether to repeat it.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from .failure import Misunderstood, Refused, Unreachable
from .sending import Sending

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

NO_BODY: Final = msgspec.UNSET
_ANSWER_TIMEOUT_S: Final = 60.0
_CONNECT_TIMEOUT_S: Final = 5.0
# The appliance sends a sign of life every 15 s on a stream: silence for so long means that the connection is gone.
_STREAM_TIMEOUT_S: Final = 60.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_UNAVAILABLE: Final = frozenset({502, 503, 504})
# Of a 503: it will answer soon. What is overloaded, or took too long, has answered: it refused.
_NOT_THERE_YET: Final = frozenset({"", "starting", "not_ready", "closing", "unavailable"})


class ErrorItem(msgspec.Struct, frozen=True):
    """One of several things wrong with a request."""

    detail: str = ""
    pointer: str | None = None
    parameter: str | None = None
    code: str = ""


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457: what the appliance says when it refuses; the code is the end of its type."""

    type: str = ""
    title: str = ""
    detail: str = ""
    errors: list[msgspec.Raw] = []

    @property
    def code(self) -> str:
        """What kind of problem it is, in a word."""
        return self.type.rpartition(":")[2]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None = None


class ApplianceClient:
    """Speaks to one appliance, from one event loop. `on_lost` is told of each call that got no answer."""

    def __init__(self, url: str, api_key: str | None, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self.on_lost: Callable[[Unreachable], None] = lambda _failure: None
        self.round_trip_ms: float | None = None
        self._api_key = api_key
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._ending: set[asyncio.Future[None]] = set()

    async def ask(self, path: str, params: Params = (), *, answer: type[T], timeout_s: float | None = None) -> T:
        """Return the answer of `GET path`. Raises `ApplianceFailure`."""
        return _decoded(await self.call("GET", path, params=params, timeout_s=timeout_s), answer)

    async def ask_object(self, path: str, params: Params = ()) -> dict[str, Any]:
        """Return a JSON object with its numbers as `int` and `Decimal`. Any: its fields are the caller's business."""
        return decoded_object(await self.call("GET", path, params=params))

    async def ask_text(self, path: str, params: Params = (), *, accept: str = "text/plain") -> str:
        """Return the body of `GET path` as text: CSV, or figures for Prometheus."""
        return (await self.call("GET", path, params=params, headers={"Accept": accept})).decode()

    async def ask_page(
        self, path: str, params: Params = (), *, item: type[T], limit: int = 100, cursor: str | None = None
    ) -> Page[T]:
        """Return one page of a list."""
        paging = [("limit", str(limit)), *([("cursor", cursor)] if cursor is not None else [])]
        return _decoded(await self.call("GET", path, params=[*params, *paging]), Page[item])

    async def tell(self, method: str, path: str, body: object = NO_BODY, *, answer: type[T]) -> T:
        """Send a change and return its answer. Raises `ApplianceFailure`; an answer without a body is `None`."""
        return _decoded(await self.call(method, path, body=body) or b"null", answer)

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: object = NO_BODY,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        """Return the body of a successful answer. Raises `Unreachable`, `Refused`."""
        http, sent = await self._client(), dict(headers or {})
        content: bytes | None = None
        if body is not NO_BODY:
            content = msgspec.json.encode(body)
            sent.setdefault("Content-Type", "application/json")
        import httpx  # noqa: PLC0415 - loaded by `_client`, in a thread

        timeout = httpx.Timeout(timeout_s or _ANSWER_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        started_at = time.perf_counter()
        try:
            request = http.build_request(
                method, path, params=list(params) or None, content=content, headers=sent, timeout=timeout
            )
            response = await self._sent(http, request)
        except httpx.HTTPError as error:
            raise self._lost(_unreachable(self.url, error)) from error
        self.round_trip_ms = (time.perf_counter() - started_at) * 1000
        if response.is_success:
            return response.content
        raise self._refused(response)

    async def lines(self, path: str, params: Params = ()) -> AsyncGenerator[str]:
        """Yield an empty line once the answer began, then its lines as they come, until the stream ends."""
        async with self._stream(path, params, {}) as response:
            yield ""
            async for line in response.aiter_lines():
                yield line

    async def pieces(self, path: str, params: Params = (), *, accept: str) -> AsyncGenerator[bytes]:
        """Yield the body of `GET path` as it comes, for what may be too large to hold. Raises `Unreachable`, `Refused`."""
        async with self._stream(path, params, {"Accept": accept}) as response:
            async for piece in response.aiter_bytes():
                yield piece

    @asynccontextmanager
    async def _stream(self, path: str, params: Params, headers: dict[str, str]) -> AsyncGenerator[httpx.Response]:
        http = await self._client()
        import httpx  # noqa: PLC0415 - loaded by `_client`, in a thread

        timeout = httpx.Timeout(_STREAM_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
        try:
            request = http.build_request("GET", path, params=list(params) or None, headers=headers, timeout=timeout)
            async with aclosing(await self._sent(http, request, is_stream=True)) as response:
                if not response.is_success:
                    await response.aread()
                    raise self._refused(response)
                yield response
        except httpx.HTTPError as error:
            raise self._lost(_unreachable(self.url, error)) from error

    async def _sent(
        self, http: httpx.AsyncClient, request: httpx.Request, *, is_stream: bool = False
    ) -> httpx.Response:
        """Return the answer; given up, the request ends by itself as soon as it can without losing its socket."""
        sending = Sending(http, request, is_stream=is_stream)
        try:
            return await asyncio.shield(sending.answer)
        except asyncio.CancelledError:
            ending = asyncio.ensure_future(sending.give_up())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise

    def is_own_key(self, prefix: str) -> bool:
        """Whether a key that begins so is the one that this client sends."""
        return bool(prefix) and self._api_key is not None and self._api_key.startswith(prefix)

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await asyncio.gather(*self._ending)
        if self._http is not None:
            await self._http.aclose()

    async def _client(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._http is None:
                # 290 ms to import, within which the first screen would not move.
                httpx = await asyncio.to_thread(importlib.import_module, "httpx")
                headers = {"User-Agent": "tallystick-tui"}
                if self._api_key:
                    headers["Authorization"] = f"Bearer {self._api_key}"
                self._http = http = httpx.AsyncClient(
                    base_url=self.url,
                    headers=headers,
                    transport=self._transport,
                    # A proxy is for the way out; an appliance on this machine is not on it.
                    trust_env=urlsplit(self.url).hostname not in _LOOPBACK,
                )
                return http
            return self._http

    def _lost(self, failure: Unreachable) -> Unreachable:
        self.on_lost(failure)
        return failure

    def _refused(self, response: httpx.Response) -> Refused | Unreachable:
        status = response.status_code
        if status == _UNAUTHORIZED:
            words = "the API key is not valid here" if self._api_key else "this appliance needs an API key"
            words += ": start the dashboard anew with another (TALLYSTICK_API_KEY, or tallystick connections add)"
            return Refused(words, status=status)
        if status == _FORBIDDEN:
            return Refused("the API key lacks the scope for this", status=status)
        problem = _problem(response.content)
        if status in _UNAVAILABLE and problem.code in _NOT_THERE_YET:
            return self._lost(Unreachable(f"{self.url} is not ready: {problem.detail or problem.title or status}"))
        words, fields = problem.detail or problem.title or f"the appliance answered {status}", dict[str, str]()
        for raw in problem.errors:
            item = _error_item(raw)
            if item is not None and item.detail:
                fields[(item.parameter or item.pointer or "").strip("/").replace("/", ".")] = item.detail
        return Refused(words, status=status, code=problem.code, fields=fields)


def segment(text: str) -> str:
    """Return the text as one segment of a path: keys may hold slashes, spaces and anything else."""
    return quote(text, safe="")


def decoded_object(body: bytes | msgspec.Raw) -> dict[str, Any]:
    """Return a JSON object with its numbers as `int` and `Decimal`. Raises `Misunderstood`."""
    try:
        return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misunderstood(f"the answer is not one of a tallystick appliance ({error})") from error


def _decoded(body: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misunderstood(f"the answer is not one of a tallystick appliance ({error})") from error


def _unreachable(url: str, error: Exception) -> Unreachable:
    import httpx  # noqa: PLC0415 - loaded long ago

    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(f"cannot reach {url}: is `tallystick serve` running there?")
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"{url} did not answer in time")
    return Unreachable(f"the connection to {url} broke")


def _problem(body: bytes) -> Problem:
    try:
        return msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Problem()


def _error_item(raw: msgspec.Raw) -> ErrorItem | None:
    try:
        return msgspec.json.decode(raw, type=ErrorItem)
    except msgspec.DecodeError:
        return None
