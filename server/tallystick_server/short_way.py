"""The short way of a small request with events: from its bytes to the store and back, without a task, a scope or a coroutine.

Promises: the same answers, byte for byte, as by the long way (`front`, `ingest_lane`); what it does not take goes there, untouched.
It takes what is let in and decodes plainly where it arrived; every refusal that is known before the store is asked is the long way's.
Why: a request with one event took the event loop 91 µs of processor time through ASGI, and 37 this way (`docs/performance.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Final, Protocol

from tallystick.api_key import Scope as KeyScope
from tallystick.errors import TallystickError

from .answer_headers import SECURITY
from .answer_mailbox import Answer, AnswerMailbox
from .body_budget import BodyBudget
from .event_decoding import EventDecoding
from .ingest_answer import answered, failed, refused
from .ingest_lane import ROUTE
from .metrics import HttpCounts
from .plain_head import KnownHeads, PlainHead, plain_head
from .problem import refusal_of
from .request_ids import HEADER as REQUEST_ID
from .request_ids import RequestIds
from .settings import Settings
from .store_access import StoreAccess

_LINE: Final = b"%b: %b\r\n"


class Connection(Protocol):
    """Where the answer goes."""

    def write_answer(self, exchange: ShortExchange, status: int, headers: bytes, body: bytes) -> None:
        """Write the whole answer, if there is still somebody to read it; `headers` are lines, each with its end."""
        ...


class ShortExchange:
    """One request that was taken, until it is answered.

    It stands where uvicorn keeps the cycle of a request, under the same names, so that uvicorn's own rules for pipelined requests, lost
    connections and the end of the process hold for it.
    """

    __slots__ = (
        "_connection",
        "_request_id",
        "_size_bytes",
        "_started",
        "_way",
        "disconnected",
        "keep_alive",
        "response_complete",
    )

    def __init__(
        self, way: ShortWay, connection: Connection, request_id: bytes, size_bytes: int, started: float
    ) -> None:
        self._way, self._connection = way, connection
        self._request_id, self._size_bytes, self._started = request_id, size_bytes, started
        self.response_complete = self.disconnected = False
        self.keep_alive = True

    @property
    def message_event(self) -> ShortExchange:
        """Itself, as the event that wakes whoever waits for the rest of the request: nobody does."""
        return self

    def set(self) -> None:
        """Wake nobody."""

    def answer(self, answer: Answer) -> None:
        """Write the answer of the store; called on the event loop."""
        way, request_id = self._way, self._request_id
        way.budget.give_back(self._size_bytes)
        try:
            if isinstance(answer, TallystickError):
                refusal = refusal_of(answer) or failed(answer, request_id)
                status, body, own = refused(refusal, request_id)
            else:
                status, body, own = answered(answer, request_id)
        except Exception as error:  # noqa: BLE001 - the edge of a request: logged with its id, answered as 500
            status, body, own = refused(failed(error, request_id), request_id)
        lines = [_LINE % pair for pair in own]
        headers = b"%b%b: %b\r\n%b" % (b"".join(lines), REQUEST_ID, request_id, way.every_answer)
        self._connection.write_answer(self, status, headers, body)
        way.counts.count("POST", ROUTE, status, perf_counter() - self._started)


class ShortWay:
    """Takes requests; one for the process."""

    def __init__(
        self,
        *,
        access: StoreAccess,
        decoding: EventDecoding,
        settings: Settings,
        budget: BodyBudget,
        request_ids: RequestIds,
        counts: HttpCounts,
        mailbox: AnswerMailbox,
    ) -> None:
        self._access, self._decoding, self._request_ids, self._mailbox = access, decoding, request_ids, mailbox
        self._body_bytes_max = min(settings.decode_inline_bytes, settings.body_bytes_max)
        self.budget, self.counts = budget, counts
        self.heads = KnownHeads()
        # A request with an origin goes the long way; to the others, these are all the headers that `front` and `cors` would add.
        always = [*SECURITY, *([(b"vary", b"origin")] if settings.cors_origins else [])]
        self.every_answer = b"".join(map(_LINE.__mod__, always))

    def head(self, headers: Sequence[tuple[bytes, bytes]]) -> PlainHead | None:
        """Return what the headers of a request to the route say, if it can go this way."""
        return plain_head(headers, body_bytes_max=self._body_bytes_max)

    def take(self, head: PlainHead, body: bytes, connection: Connection) -> ShortExchange | None:
        """Hand the events to the store and return at once; None, and nothing done, where the long way must be taken."""
        started = perf_counter()
        store = self._access.opened
        key = None if store is None else store.authenticate(head.secret)
        if store is None or key is None or not key.allows(KeyScope.INGEST):
            return None
        try:
            batch = self._decoding.decode_plain(body, head.media_type)
            if batch is None:
                return None
            self.budget.take(len(body))
        except Exception:  # noqa: BLE001 - the long way meets it again, and answers
            return None
        exchange = ShortExchange(self, connection, self._request_ids.given_or_next(head.request_id), len(body), started)
        self._mailbox.submit(store, batch, exchange.answer)
        return exchange
