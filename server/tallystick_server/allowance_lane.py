"""The quick way to an allowance: a bare ASGI callable in front of the framework, for questions that are answered from memory at once.

Promises: the same answers, byte for byte, as the route (`allowance.controller`); what it does not take goes there, untouched. It takes
plain requests with a right key whose answer is a matter of some microseconds (`Store.allowance_at_once`), so nothing waits on the event
loop; every error, and every figure that has to be looked up, is the route's.
Does not: write a line of the log for each answer; they are counted. A gateway asks before each request that it serves.
Why: through the framework an answer took the processor 0.9 ms, this way 0.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final
from urllib.parse import unquote

import msgspec

from tallystick.api_key import Scope as KeyScope
from tallystick.errors import TallystickError
from tallystick.signals.allowance import Allowance

from . import auth
from .allowance.schemas import allowance_out
from .answer_headers import JSON, SECURITY
from .asgi import Scope, Send
from .metrics import HttpCounts
from .request_ids import HEADER as REQUEST_ID
from .request_ids import RequestIds
from .request_rules import METER, METER_LENGTH_MAX, PROPERTIES
from .store_access import StoreAccess
from .usage.asked import bracketed_name

ROUTE: Final = "/v1/customers/{key}/allowance"
_BEFORE: Final = b"/v1/customers/"
_AFTER: Final = b"/allowance"
# A request with a body, or one that waits for leave to send it, is unusual for a question.
_UNUSUAL: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})
_NOT_TEXT: Final = "\ufffd"

_encode: Final = msgspec.json.Encoder().encode


class AllowanceQuestion(msgspec.Struct, frozen=True):
    """What a plain request asks."""

    customer: str
    meter: str
    properties: dict[str, str]


class AllowanceLane:
    """Takes requests; one for the process."""

    def __init__(self, *, access: StoreAccess, request_ids: RequestIds, counts: HttpCounts) -> None:
        self._access, self._request_ids, self._counts = access, request_ids, counts

    async def answer(self, scope: Scope, send: Send) -> bool:
        """Answer the request; False, and nothing done, where the route has to."""
        started = perf_counter()
        headers = dict(scope["headers"])
        asked = None if not _UNUSUAL.isdisjoint(headers) else plain_question(scope["raw_path"], scope["query_string"])
        allowance = None if asked is None else self._at_once(asked, headers)
        if allowance is None:
            return False
        body = _encode(allowance_out(allowance))
        own = [(b"content-type", JSON), (b"content-length", b"%d" % len(body)), *SECURITY]
        own.append((REQUEST_ID, self._request_ids.of(headers)))
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._counts.count("GET", ROUTE, 200, perf_counter() - started)
        return True

    def _at_once(self, asked: AllowanceQuestion, headers: Mapping[bytes, bytes]) -> Allowance | None:
        store, secret = self._access.opened, auth.secret_in(headers)
        key = store.authenticate(secret) if store is not None and secret else None
        if store is None or key is None or not key.allows(KeyScope.READ):
            return None
        try:
            return store.allowance_at_once(asked.customer, asked.meter, properties=asked.properties)
        except TallystickError:
            return None  # the route meets it again, and says it


def is_asked_for(scope: Scope) -> bool:
    """Return whether the request is for the route, as far as its path tells."""
    return scope["method"] == "GET" and scope["raw_path"].endswith(_AFTER)


def plain_question(raw_path: bytes, query: bytes) -> AllowanceQuestion | None:
    """Return what a request asks, None at any doubt."""
    key = raw_path[len(_BEFORE) : -len(_AFTER)]
    if not raw_path.startswith(_BEFORE) or not key or b"/" in key or b"+" in query:
        return None
    meter, properties = None, dict[str, str]()
    for pair in query.split(b"&"):
        name, equals, value = (_text(part) for part in pair.partition(b"="))
        property_name = bracketed_name(PROPERTIES, name)
        if not equals or _NOT_TEXT in name + value:
            return None
        if property_name is not None and property_name not in properties:
            properties[property_name] = value
        elif name == METER and meter is None and 1 <= len(value) <= METER_LENGTH_MAX:
            meter = value
        else:
            return None
    customer = _text(key)
    return None if meter is None or _NOT_TEXT in customer else AllowanceQuestion(customer, meter, properties)


def _text(part: bytes) -> str:
    text = part.decode("latin-1")
    if "%" in text:
        return unquote(text)
    return text if text.isascii() else _NOT_TEXT
