"""Usage: what a meter answers over a range of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from tallystick.api_key import ApiKey, Scope
from tallystick.errors import InvalidQuestion
from tallystick.store import Store
from tallystick.usage.answer import ROWS_AT_ONCE, UsageAnswer
from tallystick.usage.arrange_answer import ROWS_MAX
from tallystick.usage.csv_answer import csv_pieces
from tallystick.usage.question import UsageQuestion
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access, Present
from tallystick_server.problem import Refusal
from tallystick_server.readable_meter import IncludeArchived, readable_meter
from tallystick_server.store_access import StoreAccess

from .asked import faults_of_query, question_from_body, question_from_parameters
from .schemas import UsageAnswers, UsageOut, UsageQueries
from .usage_json import usage_json, usages_json

JSON, CSV = "application/json", "text/csv"
Rendered = bytes | Iterator[bytes]
AskedRequest = Request[None, ApiKey, State]


class UsageController(Controller):
    """Usage. Scans run in threads of their own, a few at a time; past their queue a question is refused with 503."""

    path = "/v1"
    tags = ("Usage",)

    @get(
        "/meters/{key:str}/usage",
        operation_id="getMeterUsage",
        summary="Usage of one meter",
        opt=allowed(Scope.READ, 404, 406, 422, 424),
        dependencies={"question": Provide(question_from_parameters, sync_to_thread=False)},
    )
    async def usage(
        self,
        *,
        key: FromPath[str],
        question: NamedDependency[UsageQuestion],
        access: Access,
        request: Request[None, ApiKey, State],
        include_archived: IncludeArchived = False,
    ) -> Response[UsageOut]:
        """Usage of one meter over `[from, to)`, cut into windows of the local calendar.

        `filter[NAME]=value` keeps the events whose property NAME (or `customer`) has that value; repeated, any of them. With
        `Accept: text/csv` the rows are answered as CSV.
        """
        media_type, render = rendering(request)

        def answer(store: Store) -> Rendered:
            readable_meter(store, key, include_archived=include_archived)
            found = store.usage(key, question)
            return rendered(render(found), [found])

        return answered(await access.scan(answer, request.receive), access, request, media_type=media_type)

    @post(
        "/usage",
        operation_id="queryUsage",
        summary="Usage of several meters",
        opt=allowed(Scope.READ, 404, 422, 424),
        status_code=200,
    )
    async def usages(
        self, data: JSONBody[UsageQueries], access: Access, clock: Present, request: Request[None, ApiKey, State]
    ) -> Response[UsageAnswers]:
        """Answer several questions, in order. One that cannot be answered refuses them all, and says which it was."""
        asked: list[tuple[str, UsageQuestion]] = []
        for place, query in enumerate(data.queries):
            with faults_of_query(place):
                asked.append((query.meter, question_from_body(query, clock)))
        answer_all = _answer_all(asked, include_archived=data.include_archived)
        return answered(await access.scan(answer_all, request.receive), access, request)


def usage_csv(answer: UsageAnswer) -> Iterator[bytes]:
    """Yield the answer's rows as CSV."""
    return (piece.encode() for piece in csv_pieces(answer))


def rendering(request: Request[None, ApiKey, State]) -> tuple[str, Callable[[UsageAnswer], Iterator[bytes]]]:
    """Return the media type that the request accepts, and what writes it. Raises `Refusal` (406)."""
    media_type = request.accept.best_match([JSON, CSV], default=None)
    if media_type is None:
        raise Refusal(406, "not_acceptable", f"usage is answered as {JSON} or {CSV}")
    return media_type, usage_csv if media_type == CSV else usage_json


def rendered(pieces: Iterator[bytes], answers: Sequence[UsageAnswer]) -> Rendered:
    """Return the text whole where it is not large: in the thread of the scan, since it takes longer than the event loop may be held."""
    size = sum(len(answer.rows) + len(answer.totals) for answer in answers)
    return b"".join(pieces) if size <= ROWS_AT_ONCE else pieces


def answered(
    body: Rendered,
    access: StoreAccess,
    request: AskedRequest,
    *,
    media_type: str = JSON,
) -> Response[Any]:  # Any: bytes, or a stream
    """Return the response; a large answer is written as fast as it is read."""
    headers = {"vary": "accept"}
    if isinstance(body, bytes):
        return Response(body, media_type=media_type, headers=headers)
    return Stream(access.large.begin(body, request.scope["state"]), media_type=media_type, headers=headers)


def _answer_all(asked: list[tuple[str, UsageQuestion]], *, include_archived: bool) -> Callable[[Store], Rendered]:
    def answer_all(store: Store) -> Rendered:
        answers: list[UsageAnswer] = []
        for place, (key, question) in enumerate(asked):
            with faults_of_query(place):
                readable_meter(store, key, include_archived=include_archived)
                answers.append(store.usage(key, question))
                _check_sum(answers)
        return rendered(usages_json(answers), answers)

    return answer_all


def _check_sum(answers: Sequence[UsageAnswer]) -> None:
    """Hold all answers of a request together to what one may have: they are in memory at the same time."""
    for what, count in (
        ("rows", sum(len(answer.rows) for answer in answers)),
        ("groups", sum(len(answer.totals) for answer in answers)),
    ):
        if count > ROWS_MAX:
            raise InvalidQuestion(
                "limit",
                f"with those before it the answers would have {count:,} {what}, and may have {ROWS_MAX:,} together",
            )
