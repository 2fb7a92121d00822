"""Meters: defined before or after the events came, previewed, changed, archived."""

from __future__ import annotations

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from tallystick.api_key import ApiKey, Scope
from tallystick.errors import InvalidDefinition
from tallystick.instant import EARLIEST
from tallystick.meter import Meter
from tallystick.store import MeterVersionsPage, SkippedPage, Store
from tallystick.usage.aggregators import listed_aggregators
from tallystick.usage.dimensions import Dimensions, DimensionsQuestion
from tallystick.usage.skipped_events import SkippedQuestion
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access, Present
from tallystick_server.json_values import moment
from tallystick_server.parameters import Cursor, Limit
from tallystick_server.readable_meter import IncludeArchived, readable_meter
from tallystick_server.usage.asked import end_or_now, question_from_body
from tallystick_server.usage.controller import Rendered, answered, rendered, rendering
from tallystick_server.usage.parameters import From, To
from tallystick_server.usage.schemas import UsageOut

from .dimensions_schemas import DimensionName, DimensionsOut, Since, Values, dimensions_out
from .schemas import (
    AggregatorsOut,
    MeterCreate,
    MeterOut,
    MetersOut,
    MeterUpdate,
    MeterVersionsOut,
    PreviewRequest,
    PreviewSkippedRequest,
    SkippedOut,
    aggregator_out,
    meter_of,
    meter_out,
    meter_version_out,
    meters_page,
    patched,
    skipped_out,
)

# Paths beside `/v1/meters/{key}`: a meter of that key could not be reached.
_ROUTES = frozenset({"preview"})


class MeterController(Controller):
    """Named questions over events."""

    path = "/v1"
    tags = ("Meters",)

    @get("/meters", operation_id="listMeters", summary="List meters", opt=allowed(Scope.READ))
    async def everything(
        self, *, access: Access, include_archived: IncludeArchived = False, limit: Limit = 100, cursor: Cursor = None
    ) -> MetersOut:
        """List meters by key; archived ones with `include_archived=true` only."""
        meters = await access.read(lambda store: store.meters(include_archived=include_archived))
        return meters_page(meters, limit=limit, cursor=cursor)

    @post("/meters", operation_id="createMeter", summary="Define a meter", opt=allowed(Scope.ADMIN, 409, 422, 424))
    async def create(self, data: JSONBody[MeterCreate], access: Access) -> MeterOut:
        """Define a meter. It covers every event there is, whether it came before or comes after."""
        meter = meter_of(data)
        if meter.key in _ROUTES:
            raise InvalidDefinition("key", f"{meter.key!r} is a route of its own: choose another key")
        return meter_out(await access.read(lambda store: store.put_meter(meter, create=True)))

    @get("/meters/{key:str}", operation_id="getMeter", summary="Show a meter", opt=allowed(Scope.READ, 404))
    async def show(self, *, key: FromPath[str], access: Access, include_archived: IncludeArchived = False) -> MeterOut:
        """Show one meter; an archived one with `include_archived=true` only."""
        return meter_out(await access.read(lambda store: readable_meter(store, key, include_archived=include_archived)))

    @patch(
        "/meters/{key:str}",
        operation_id="updateMeter",
        summary="Change a meter",
        opt=allowed(Scope.ADMIN, 404, 422, 424),
    )
    async def change(self, key: FromPath[str], data: JSONBody[MeterUpdate], access: Access, clock: Present) -> MeterOut:
        """Change a meter by a merge patch: what is absent stays, null clears. `"archived": false` takes an archived one back."""

        def apply(store: Store) -> Meter:
            return store.put_meter(patched(store.meter(key), data, now=clock.now()), create=False)

        return meter_out(await access.read(apply))

    @delete(
        "/meters/{key:str}",
        operation_id="archiveMeter",
        summary="Archive a meter",
        opt=allowed(Scope.ADMIN, 404),
        status_code=200,
    )
    async def archive(self, key: FromPath[str], access: Access) -> MeterOut:
        """Archive a meter: it is listed no more, and its past usage stays readable with `include_archived=true`. Idempotent."""
        return meter_out(await access.read(lambda store: store.archive_meter(key)))

    @get(
        "/meters/{key:str}/versions",
        operation_id="listMeterVersions",
        summary="List the versions of a meter",
        opt=allowed(Scope.READ, 404),
    )
    async def versions(
        self,
        *,
        key: FromPath[str],
        access: Access,
        include_archived: IncludeArchived = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> MeterVersionsOut:
        """List every version of a meter, newest first, with the position of the log at which each came into force.

        `GET /v1/meters/{key}/usage` names the version that made a figure as `meter_version`, and asks an older one with `version`.
        """

        def versions(store: Store) -> MeterVersionsPage:
            readable_meter(store, key, include_archived=include_archived)
            return store.meter_versions(key, limit=limit, cursor=cursor)

        page = await access.read(versions)
        return MeterVersionsOut([meter_version_out(version) for version in page.items], page.next_cursor)

    @get(
        "/meters/{key:str}/skipped",
        operation_id="listSkippedEvents",
        summary="List events that a meter skips",
        opt=allowed(Scope.READ, 404),
    )
    async def skipped(  # noqa: PLR0913 - one for each parameter
        self,
        *,
        key: FromPath[str],
        access: Access,
        clock: Present,
        request: Request[None, ApiKey, State],
        start: From,
        end: To = None,
        include_archived: IncludeArchived = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> SkippedOut:
        """List events in `[from, to)` that the meter would count if they had what it reads, newest first, each with the reasons.

        They are of its type and pass its filter, and lack a field, or have no number in it where one is needed.
        """
        question = SkippedQuestion(start=moment("from", start), end=end_or_now(end, clock), limit=limit, cursor=cursor)

        def skipped(store: Store) -> SkippedPage:
            readable_meter(store, key, include_archived=include_archived)
            return store.skipped(key, question)

        page = await access.scan(skipped, request.receive)
        return SkippedOut([skipped_out(event) for event in page.items], page.next_cursor)

    @get(
        "/meters/{key:str}/dimensions",
        operation_id="listMeterDimensions",
        summary="What a meter can be grouped by",
        opt=allowed(Scope.READ, 404),
    )
    async def dimensions(  # noqa: PLR0913 - one for each parameter
        self,
        *,
        key: FromPath[str],
        access: Access,
        clock: Present,
        request: Request[None, ApiKey, State],
        start: Since = None,
        end: To = None,
        name: DimensionName = None,
        values: Values = 20,
        include_archived: IncludeArchived = False,
    ) -> DimensionsOut:
        """List `customer` and the properties that the meter's newest events have, each with its most frequent values.

        Looked at are the newest 50,000 events of its type in `[from, to)`; those that pass its filter are counted, exactly. `complete` is
        false where the range has older ones too. At most the 100 most frequent properties are listed, by name.
        """
        question = DimensionsQuestion(
            start=EARLIEST if start is None else moment("from", start),
            end=end_or_now(end, clock),
            name=name,
            values=values,
        )

        def dimensions(store: Store) -> tuple[Meter, Dimensions]:
            meter = readable_meter(store, key, include_archived=include_archived)
            return meter, store.dimensions(key, question)

        meter, found = await access.scan(dimensions, request.receive)
        return dimensions_out(meter, question, found)

    @post(
        "/meters/preview",
        operation_id="previewMeter",
        summary="Try a meter",
        opt=allowed(Scope.READ, 406, 422, 424),
        status_code=200,
    )
    async def preview(
        self, data: JSONBody[PreviewRequest], access: Access, clock: Present, request: Request[None, ApiKey, State]
    ) -> Response[UsageOut]:
        """Answer the usage of a meter over past events without saving anything. With `Accept: text/csv` its rows as CSV."""
        meter, question = meter_of(data.meter), question_from_body(data.query, clock)
        media_type, render = rendering(request)

        def answer(store: Store) -> Rendered:
            found = store.preview(meter, question)
            return rendered(render(found), [found])

        return answered(await access.scan(answer, request.receive), access, request, media_type=media_type)

    @post(
        "/meters/preview/skipped",
        operation_id="previewSkippedEvents",
        summary="List events that a meter to try would skip",
        opt=allowed(Scope.READ, 422, 424),
        status_code=200,
    )
    async def preview_skipped(
        self,
        data: JSONBody[PreviewSkippedRequest],
        access: Access,
        clock: Present,
        request: Request[None, ApiKey, State],
    ) -> SkippedOut:
        """List events in `[from, to)` that a meter which is not saved would not count, newest first, each with the reasons."""
        meter, query = meter_of(data.meter), data.query
        question = SkippedQuestion(
            start=moment("from", query.start), end=end_or_now(query.end, clock), limit=query.limit, cursor=query.cursor
        )
        page = await access.scan(lambda store: store.preview_skipped(meter, question), request.receive)
        return SkippedOut([skipped_out(event) for event in page.items], page.next_cursor)

    @get(
        "/aggregators",
        operation_id="listAggregators",
        summary="List aggregations",
        opt=allowed(Scope.READ),
    )
    async def aggregators(self, access: Access) -> AggregatorsOut:
        """List what meters can do with events, built in or from a plugin; one that cannot be used says why.

        A meter's `options` must be as `options_schema` says.
        """
        listed = await access.read(lambda _: listed_aggregators())
        return AggregatorsOut([aggregator_out(each) for each in listed])
