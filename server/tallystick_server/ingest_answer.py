"""How an ingest answer becomes an HTTP answer: on the short way, on the lane and in re-submission."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response

from tallystick.store import IngestAnswer

from . import logs
from .answer_headers import JSON, Headers, refusal_headers
from .problem import INTERNAL, MEDIA_TYPE, Refusal, encode_problem

_LOG = logs.logger("ingest")
_ALL_COUNTED = b'{"accepted":%d,"duplicates":%d,"conflicts":0,"rejected":[]}'


def answered(answer: IngestAnswer, request_id: bytes) -> tuple[int, bytes, Headers]:
    """Return status, body and headers: 200 as soon as one event was accepted or a duplicate, 422 if every one was rejected."""
    if not answer.rejected:
        body = _ALL_COUNTED % (answer.accepted, answer.duplicates)
    elif answer.accepted or answer.duplicates:
        body = msgspec.json.encode(answer)
    else:
        return refused(all_rejected(answer), request_id, **members(answer))
    return 200, body, [(b"content-type", JSON), (b"content-length", b"%d" % len(body))]


def refused(refusal: Refusal, request_id: bytes, **extra: Any) -> tuple[int, bytes, Headers]:  # Any: JSON
    """Return status, body and headers of a refusal."""
    body = encode_problem(refusal, request_id.decode(), **extra)
    return refusal.status, body, refusal_headers(refusal, len(body))


def failed(error: Exception, request_id: bytes) -> Refusal:
    """Write what went wrong to the log, with the request's id, and return the refusal that names only the id."""
    _LOG.error("ingest failed", request_id=request_id.decode(), exc_info=error)
    return INTERNAL


def all_rejected(answer: IngestAnswer) -> Refusal:
    """Return the refusal of a request of which nothing was counted."""
    first = answer.rejected[0]
    return Refusal(422, "all_rejected", f"every event was rejected; the first one: {first.code.value}: {first.detail}")


def members(answer: IngestAnswer) -> dict[str, Any]:  # Any: JSON
    """Return the answer as members of a problem."""
    return msgspec.to_builtins(answer)


def all_rejected_response(
    answer: IngestAnswer, request_id: str | None
) -> Response[Any]:  # Any: a problem in place of the answer
    """Return the 422 of a route."""
    body = encode_problem(all_rejected(answer), request_id, **members(answer))
    return Response(body, status_code=422, media_type=MEDIA_TYPE)
