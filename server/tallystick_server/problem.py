"""Problem details (RFC 9457): the one place where errors become answers.

Promises: every error answer of the appliance has this shape, whoever gives it: a route, the ingest lane or the front. An unknown
exception is a 500 that names the request and nothing of the inside; the log has the rest.
Does not: decide what is wrong. Bad parameters and bodies of the wrong shape answer 400, well-formed definitions that break a rule 422.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from tallystick.decode import TooLarge, UnknownEncoding, UnknownMediaType, UnreadableBody
from tallystick.errors import (
    AlreadyExists,
    InvalidDefinition,
    InvalidQuestion,
    NotCounted,
    NotFound,
    PluginFailed,
    PluginMissing,
    TallystickError,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tallystick:problem:"
# Nobody reads it: it is what the log and the metrics call a request whose client did not wait (as nginx does).
CLIENT_GONE = 499


class ProblemError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of several faults: `pointer` names the parameter or the field of the body."""

    detail: str
    pointer: str | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An error answer; `type` is a URN that programs can compare, `request_id` finds the request in the log."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError] = []
    request_id: str | None = None


class Refusal(TallystickError):
    """A request that is refused by the server itself, with its status, a short code and a sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[ProblemError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors = errors or []
        self.headers = headers or {}


def busy(detail: str, *, retry_after_s: int = 1, code: str = "overloaded") -> Refusal:
    """Return a 503: nothing was done, and it may be tried again."""
    return Refusal(503, code, detail, headers={"retry-after": str(retry_after_s)})


def refusal_of(error: TallystickError) -> Refusal | None:  # noqa: C901, PLR0911, PLR0912 - a table, one line an error
    """Return how an error of the engine is answered; None for one that is nobody's fault but ours."""
    match error:
        case Refusal():
            return error
        case NotFound():
            return Refusal(404, "not_found", str(error))
        case NotCounted():
            return Refusal(404, "not_counted", str(error))
        case AlreadyExists():
            return Refusal(409, "already_exists", str(error))
        case InvalidQuestion():
            return Refusal(
                400, "invalid_parameter", str(error), errors=[ProblemError(error.detail, pointer=error.parameter)]
            )
        case InvalidDefinition():
            return Refusal(
                422, "invalid_definition", str(error), errors=[ProblemError(error.detail, pointer=error.field)]
            )
        case PluginFailed():
            return Refusal(424, "plugin_failed", str(error))
        case PluginMissing():
            return Refusal(424, "plugin_missing", str(error))
        case UnreadableBody():
            return Refusal(400, "unreadable_body", str(error))
        case TooLarge():
            return Refusal(413, "too_large", str(error))
        case UnknownMediaType() | UnknownEncoding():
            return Refusal(415, _snake(type(error).__name__), str(error))
        case Unavailable():
            return Refusal(
                503,
                _snake(type(error).__name__),
                str(error) or "try again",
                headers={"retry-after": str(error.retry_after_s)},
            )
        case _:
            return None


INTERNAL = Refusal(500, "internal", "the appliance failed to answer; its log has the cause under this request id")


def problem_of(refusal: Refusal, request_id: str | None) -> Problem:
    """Return the body of the answer."""
    return Problem(
        type=TYPE_PREFIX + refusal.code,
        title=title_of(refusal.status),
        status=refusal.status,
        detail=refusal.detail,
        errors=refusal.errors,
        request_id=request_id,
    )


def title_of(status: int) -> str:
    """Return the status's own words."""
    if status == CLIENT_GONE:
        return "Client Closed Request"
    return HTTPStatus(status).phrase


def encode_problem(
    refusal: Refusal, request_id: str | None, **extra: Any
) -> bytes:  # Any: extension members (RFC 9457, 3.2)
    """Return the body as bytes, with extension members if there are any."""
    problem = problem_of(refusal, request_id)
    if not extra:
        return msgspec.json.encode(problem)
    return msgspec.json.encode(msgspec.to_builtins(problem) | extra)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
