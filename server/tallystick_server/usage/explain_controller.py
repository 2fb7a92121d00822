"""Explaining usage: what a figure was made of."""

from __future__ import annotations

import msgspec
from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from tallystick.api_key import ApiKey, Scope
from tallystick.store import Store
from tallystick.usage.explanation import ExplainQuestion
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.readable_meter import IncludeArchived, readable_meter

from .asked import explain_question_from_parameters
from .explain_schemas import ExplanationOut, explanation_out


class ExplainController(Controller):
    """What is behind a figure."""

    path = "/v1"
    tags = ("Usage",)

    @get(
        "/meters/{key:str}/explain",
        operation_id="explainMeterUsage",
        summary="Explain a figure",
        opt=allowed(Scope.READ, 404, 422, 424),
        dependencies={"question": Provide(explain_question_from_parameters, sync_to_thread=False)},
    )
    async def explain(
        self,
        *,
        key: FromPath[str],
        question: NamedDependency[ExplainQuestion],
        access: Access,
        request: Request[None, ApiKey, State],
        include_archived: IncludeArchived = False,
    ) -> Response[ExplanationOut]:
        """List what the meter's figure over `[from, to)` was made of, oldest first: what all pages list adds up to it.

        For most meters these are events, each with the `amount` that it adds. For levels and durations they are intervals of the series,
        with the events that opened and closed each: the `seconds` of a duration's intervals add up to it; the levels of the
        intervals that hold at an instant add up to the level then. `filter[NAME]=value` as in usage.

        The cursor carries the position of the log and the time of the first page, so that pages fit together while events keep coming.
        """

        def explain(store: Store) -> bytes:
            readable_meter(store, key, include_archived=include_archived)
            return msgspec.json.encode(explanation_out(store.explain(key, question)))

        return Response(await access.scan(explain, request.receive), media_type="application/json")  # type: ignore[return-value]
