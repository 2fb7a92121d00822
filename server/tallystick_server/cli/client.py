"""A thin synchronous client of the appliance: each refusal and each lost connection becomes one clear line.

Promises: decimals keep every digit (numbers are decoded as `Decimal` or `int`, or handed over as the raw text); the key never appears
in a message. Does not retry: who can send twice without harm decides that (see `patience`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from .failure import BadUse, Failure, NoAppliance
from .printable import printable
from .refusal_words import in_words_of_command

PAGE_LIMIT: Final = 1_000
ANSWER_TIMEOUT_S: Final = 120.0
_CONNECT_TIMEOUT_S: Final = 5.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Params = Sequence[tuple[str, str]]
T = TypeVar("T")


class ErrorItem(msgspec.Struct, frozen=True):
    """One of several things wrong with a request; only the fields that a line can show."""

    detail: str = ""
    pointer: str | None = None

    def __str__(self) -> str:
        return f"{self.pointer}: {self.detail}" if self.pointer and self.detail else self.detail


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457: what the appliance says when it refuses."""

    title: str = ""
    detail: str = ""
    errors: list[msgspec.Raw] = []

    @property
    def items(self) -> list[ErrorItem]:
        """Return what is wrong, one by one, as far as it can be read."""
        found: list[ErrorItem] = []
        for raw in self.errors:
            with suppress(msgspec.DecodeError):
                found.append(msgspec.json.decode(raw, type=ErrorItem))
        return found


class Page(msgspec.Struct, frozen=True):
    """A page of a list, its items still as the appliance wrote them."""

    items: list[msgspec.Raw]
    next_cursor: str | None = None


class Unreachable(Failure):
    """No answer came: no connection, or one that broke."""


class Refused(Failure):
    """The appliance answered, and said no; `body` is what it said."""

    def __init__(self, message: str, *, status: int, body: bytes, retry_after_s: float | None) -> None:
        super().__init__(message)
        self.status, self.body, self.retry_after_s = status, body, retry_after_s

    def told(self, parameters: Collection[str]) -> str:
        """Return the line in the words of the command."""
        problem = _problem_of(self.body)
        items = [] if problem is None else problem.items
        faults = [(_line(item.pointer), _line(item.detail)) for item in items if item.pointer]
        return in_words_of_command(str(self), faults, parameters)


class ApplianceClient:
    """Speaks to one appliance; safe to use from several threads. Close it, or use it in a `with`."""

    def __init__(self, url: str, api_key: str | None, *, transport: httpx.BaseTransport | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadUse(f"--url: {url!a} is no address; give one such as http://127.0.0.1:7070")
        self.url = url.rstrip("/")
        headers = {"User-Agent": "tallystick-cli"}
        if api_key:
            if not api_key.isascii() or not api_key.isprintable():
                raise BadUse("--api-key: the key holds characters that no key has; copy it again")
            headers["Authorization"] = f"Bearer {api_key}"
        self._has_key = bool(api_key)
        try:
            self._http = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=_timeout(ANSWER_TIMEOUT_S),
                transport=transport,
                # A proxy is for the way out; an appliance on this machine is not on it.
                trust_env=urlsplit(url).hostname not in _LOOPBACK,
            )
        except httpx.InvalidURL as error:
            raise BadUse(f"--url: {url!a} is no address: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; idempotent."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        json: object = msgspec.UNSET,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        """Return the body of a successful answer; `timeout_s` bounds each silence on the way to it. Raises `Refused` or `Unreachable`."""
        sent = dict(headers or {})
        if json is not msgspec.UNSET:
            content = msgspec.json.encode(json)
            sent.setdefault("Content-Type", "application/json")
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_s is None else _timeout(timeout_s)
        try:
            response = self._http.request(
                method, path, params=list(params) or None, content=content, headers=sent, timeout=timeout
            )
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error
        except httpx.InvalidURL as error:
            raise BadUse(f"--url: {self.url!a} is no address: {error}") from error
        if response.is_success:
            return response.content
        raise self.refused(response)

    def get(self, path: str, params: Params = (), *, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the body of `GET path`."""
        return self.call("GET", path, params=params, headers=headers)

    def pages(self, path: str, params: Params = (), *, limit: int | None) -> Iterator[Page]:
        """Yield pages until the list ends or `limit` items (None: all of them) were yielded."""
        cursor: str | None = None
        left = limit
        while True:
            size = PAGE_LIMIT if left is None else min(left, PAGE_LIMIT)
            query = [*params, ("limit", str(size))]
            if cursor is not None:
                query.append(("cursor", cursor))
            page = decode(self.get(path, query), Page)
            yield page
            if left is not None:
                left -= len(page.items)
            cursor = page.next_cursor
            if cursor is None or (left is not None and left <= 0):
                return

    def stream(self, path: str, params: Params = (), *, headers: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield an empty line once the answer began, then its lines for as long as they come. Raises `Refused` or `Unreachable`."""
        # Read timeout: the appliance sends a sign of life well within it, so silence means that the connection is gone.
        timeout = _timeout(60.0)
        try:
            with self._http.stream(
                "GET", path, params=list(params) or None, headers=dict(headers or {}), timeout=timeout
            ) as response:
                if not response.is_success:
                    response.read()
                    raise self.refused(response)
                yield ""  # the appliance has answered, though nothing may have landed yet
                yield from response.iter_lines()
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error

    def unreachable(self, error: httpx.HTTPError) -> Unreachable:
        """Return the failure that says why no answer came and what to try."""
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return Unreachable(f"cannot reach {self.url}: is `tallystick serve` running there? ({_reason(error)})")
        if isinstance(error, httpx.TimeoutException):
            return Unreachable(f"{self.url} did not answer in time")
        return Unreachable(f"the connection to {self.url} broke ({_reason(error)})")

    def refused(self, response: httpx.Response) -> Refused:
        """Return the failure that carries the appliance's own words."""
        status = response.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            message = (
                "the API key is not valid here; check --api-key, TALLYSTICK_API_KEY or the key that --connection keeps"
                if self._has_key
                else "this needs an API key: give --connection or --api-key, or set TALLYSTICK_API_KEY"
            )
        elif status == HTTPStatus.FORBIDDEN:
            message = "the API key lacks the scope for this; use one that has it (`tallystick keys create`)"
        else:
            message = _words_of(response)
        return Refused(
            message,
            status=status,
            body=response.content,
            retry_after_s=_retry_after_s(response.headers.get("Retry-After")),
        )


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, _CONNECT_TIMEOUT_S))


def segment(text: str) -> str:
    """Return the text as one segment of a path: keys may hold slashes, spaces and anything else. Raises `BadUse` for an empty one."""
    if not text:
        raise BadUse("a key or id is empty; an empty one would mean all of them")
    return quote(text, safe="")


def decode(body: bytes, kind: type[T]) -> T:
    """Return an answer as the struct it should be; one that is not means that something else answers at this address."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoAppliance(error) from error


def decode_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object with its numbers as `int` and `Decimal`. Any: its fields are the caller's business."""
    try:
        return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoAppliance(error) from error


def _words_of(response: httpx.Response) -> str:
    problem = _problem_of(response.content)
    if problem is None:
        return f"the appliance answered {response.status_code} {response.reason_phrase}".rstrip()
    words = problem.detail or problem.title or f"the appliance answered {response.status_code}"
    details = [text for item in problem.items[:5] if (text := str(item)) and text not in words]
    return _line("; ".join([words.rstrip("."), *details]))


def _problem_of(body: bytes) -> Problem | None:
    try:
        return msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _line(text: str) -> str:
    return printable(text.replace("\n", " "))


def _retry_after_s(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header; a date in it is not what the appliance sends, and counts as none."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _reason(error: Exception) -> str:
    return _line(str(error)) or type(error).__name__
