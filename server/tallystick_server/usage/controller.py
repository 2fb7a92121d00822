"""Usage: what a meter answers over a range of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from tallystick.api_key import ApiKey, Scope
from tallystick.store import Store
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.csv_answer import csv_lines
from tallystick.usage.question import UsageQuestion
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access, Present
from tallystick_server.problem import Refusal
from tallystick_server.readable_meter import IncludeArchived, readable_meter

from .asked import question_from_body, question_from_parameters
from .schemas import UsageAnswers, UsageOut, UsageQueries, usage_out

JSON, CSV = "application/json", "text/csv"


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
        media_type = request.accept.best_match([JSON, CSV], default=None)
        if media_type is None:
            raise Refusal(406, "not_acceptable", f"usage is answered as {JSON} or {CSV}")
        render = usage_csv if media_type == CSV else usage_json

        def answer(store: Store) -> bytes:
            readable_meter(store, key, include_archived=include_archived)
            return render(store.usage(key, question))

        # Encoded in the thread of the scan: a hundred thousand rows take longer than the event loop may be held.
        body = await access.scan(answer)
        return cast("Response[UsageOut]", Response(body, media_type=media_type, headers={"vary": "accept"}))

    @post(
        "/usage",
        operation_id="queryUsage",
        summary="Usage of several meters",
        opt=allowed(Scope.READ, 404, 422, 424),
        status_code=200,
    )
    async def usages(self, data: JSONBody[UsageQueries], access: Access, clock: Present) -> Response[UsageAnswers]:
        """Answer several questions, in order. One that cannot be answered refuses them all, and says which it was."""
        asked = [(query.meter, question_from_body(query, clock)) for query in data.queries]
        body = await access.scan(_answer_all(asked, include_archived=data.include_archived))
        return cast("Response[UsageAnswers]", Response(body, media_type=JSON))


def usage_csv(answer: UsageAnswer) -> bytes:
    """Return the answer's rows as CSV."""
    return "".join(csv_lines(answer)).encode()


def usage_json(answer: UsageAnswer) -> bytes:
    """Return the answer's JSON."""
    return msgspec.json.encode(usage_out(answer))


def _answer_all(asked: list[tuple[str, UsageQuestion]], *, include_archived: bool) -> Callable[[Store], bytes]:
    def answer_all(store: Store) -> bytes:
        for key, _ in asked:
            readable_meter(store, key, include_archived=include_archived)
        answers = [usage_out(store.usage(key, question)) for key, question in asked]
        return msgspec.json.encode(UsageAnswers(answers))

    return answer_all
