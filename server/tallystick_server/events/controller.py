"""Events: out again, voided, and as they land. The way in is `ingest_lane`; its route here is what the document is made from."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream

from tallystick.api_key import Scope
from tallystick.errors import NotFound
from tallystick.event import CUSTOMER_LENGTH_MAX, ID_LENGTH_MAX, SOURCE_LENGTH_MAX, TYPE_LENGTH_MAX, Position
from tallystick.store import EventsQuestion, Identity
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.json_values import invalid_parameter, moment_or_none
from tallystick_server.parameters import Cursor, Limit

from .event_stream import EventStream
from .schemas import EventsOut, IngestOut, ReceiptOut, VoidOut, VoidRequest, event_out, receipt_out, targets, void_out

CustomerFilter = Annotated[
    str | None,
    QueryParameter(
        name="customer", min_length=1, max_length=CUSTOMER_LENGTH_MAX, description="Only this customer's events."
    ),
]
TypeFilter = Annotated[
    str | None,
    QueryParameter(name="type", min_length=1, max_length=TYPE_LENGTH_MAX, description="Only events of this type."),
]
Start = Annotated[
    str | None,
    QueryParameter(name="from", description="The earliest time: RFC 3339, or integer milliseconds since 1970."),
]
End = Annotated[
    str | None, QueryParameter(name="to", description="The time before which events lie: RFC 3339, or milliseconds.")
]
LAST_POSITION = 2**63 - 1


class EventController(Controller):
    """Raw events."""

    path = "/v1/events"
    tags = ("Events",)

    @post(
        "/",
        operation_id="ingestEvents",
        summary="Send events",
        opt=allowed(Scope.INGEST, 408, 413, 415),
        status_code=200,
    )
    async def ingest(self) -> IngestOut:
        """Count events: one, an array, NDJSON, MessagePack or CloudEvents. Answers once all it accepts is on disk and visible.

        A bad event never takes its neighbours down: it is listed in `rejected` with its code, and kept in quarantine. Sending the same
        event again is a duplicate, not an error; the same identity with other content is a conflict, and the first stays.
        """
        raise NotFoundException  # reached by other spellings of the path only, such as a doubled slash

    @get("/", operation_id="listEvents", summary="List raw events", opt=allowed(Scope.READ))
    async def page(
        self,
        access: Access,
        customer: CustomerFilter = None,
        event_type: TypeFilter = None,
        start: Start = None,
        end: End = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> EventsOut:
        """List raw events, newest time first, voided ones among them."""
        question = EventsQuestion(
            customer=customer,
            type=event_type,
            start=moment_or_none("from", start),
            end=moment_or_none("to", end),
            limit=limit,
            cursor=cursor,
        )
        page = await access.read(lambda store: store.events(question))
        return EventsOut([event_out(event) for event in page.items], page.next_cursor)

    @get("/by-id", operation_id="getEvent", summary="Show one event and its receipt", opt=allowed(Scope.READ, 404))
    async def by_id(
        self,
        access: Access,
        event_id: Annotated[
            str, QueryParameter(name="id", min_length=1, max_length=ID_LENGTH_MAX, description="The event's id.")
        ],
        source: Annotated[
            str,
            QueryParameter(
                name="source", max_length=SOURCE_LENGTH_MAX, description="Its source; empty where it has none."
            ),
        ] = "",
    ) -> ReceiptOut:
        """Show one event, the block that holds it, and how often it was sent again."""
        receipt = await access.read(lambda store: store.receipt(Identity(source, event_id)))
        if receipt is None:
            raise NotFound("event", event_id)
        return receipt_out(receipt)

    @post("/void", operation_id="voidEvents", summary="Void events", opt=allowed(Scope.ADMIN), status_code=200)
    async def void(self, data: JSONBody[VoidRequest], access: Access) -> VoidOut:
        """Correct: these events stay in the log and no longer count. Idempotent.

        A voided id is not free again: a corrected event takes a new id. With `"if_missing": "remember"` an id that was not seen yet is
        voided when it comes.
        """
        identities = targets(data)
        remember = data.if_missing == "remember"
        return void_out(
            await access.read(
                lambda store: store.void_events(identities, reason=data.reason, remember_missing=remember)
            )
        )

    @get(
        "/stream",
        operation_id="streamEvents",
        summary="Watch events land",
        opt=allowed(Scope.READ),
        media_type="text/event-stream",
    )
    async def stream(
        self,
        access: Access,
        customer: CustomerFilter = None,
        event_type: TypeFilter = None,
        after: Annotated[
            int | None,
            QueryParameter(
                name="after", ge=0, le=LAST_POSITION, description="Begin with what was accepted after this position."
            ),
        ] = None,
        sample: Annotated[
            int | None,
            QueryParameter(
                name="sample",
                ge=1,
                le=1_000,
                description="At most so many events a second: the newest of what landed. The others are counted in `event: missed`.",
            ),
        ] = None,
        last_event_id: Annotated[
            str | None,
            HeaderParameter(name="Last-Event-ID", description="As `after`; browsers send it when they reconnect."),
        ] = None,
    ) -> Stream:
        """Watch accepted events as server-sent events; `id` is the position, `data` the event.

        `event: missed` says how many were left out because the reader was too slow, or asked for a `sample`.
        """
        position = after if last_event_id is None else _position(last_event_id)
        stream = EventStream(
            access,
            customer=customer,
            event_type=event_type,
            after=None if position is None else Position(position),
            sample=sample,
        )
        return Stream(stream.chunks(), media_type="text/event-stream")


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LAST_POSITION):  # noqa: PLR2004 - digits of an int64
        raise invalid_parameter("Last-Event-ID", "is not a position")
    return int(text)
