"""What our own server tells the ingest lane of a small request, in the request's state: its body is there, and its answer may go at once.

Both are shortcuts past the general way, and absent under another server. The general way writes head and body of an answer one by one
and looks at every header; a small answer written in one piece saves a sixth of the time that a request with one event takes.
"""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from .answer_headers import JSON, SECURITY, Headers
from .request_ids import HEADER as REQUEST_ID

BODY_IS_WHOLE: Final = "body_is_whole"
ANSWER_AT_ONCE: Final = "answer_at_once"

_HEAD: Final = b"".join(
    [
        b"content-type: ",
        JSON,
        b"\r\n",
        *(b"%b: %b\r\n" % pair for pair in SECURITY),
        REQUEST_ID,
        b": %b\r\ncontent-length: %d\r\n\r\n%b",
    ]
)


class AnswerAtOnce:
    """Writes a JSON answer of 200 to one request; made by the server for each of them."""

    __slots__ = ("_cycle", "_server_headers")

    def __init__(self, cycle: RequestResponseCycle, server_headers: Headers) -> None:
        self._cycle, self._server_headers = cycle, server_headers

    def write(self, body: bytes, request_id: bytes) -> bool:
        """Write the whole answer and end the request; False, and nothing done, where the general way must be taken."""
        cycle = self._cycle
        if not cycle.keep_alive or cycle.flow.write_paused or cycle.disconnected or cycle.response_started:
            return False
        server = b"".join([b"%b: %b\r\n" % pair for pair in self._server_headers])
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"HTTP/1.1 200 OK\r\n" + server + _HEAD % (request_id, len(body), body))
        cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()
        return True
