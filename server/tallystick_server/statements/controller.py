"""Statements of one customer's usage, proofs of single events, and the list of events that both are made from."""

from __future__ import annotations

from typing import Annotated, cast

import msgspec
from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter

from tallystick.api_key import ApiKey, Scope
from tallystick.event import ID_LENGTH_MAX, SOURCE_LENGTH_MAX, Position
from tallystick.identity import Identity
from tallystick.statement.question import StatementQuestion
from tallystick.statement.statement import Statement, encode_statement
from tallystick.store import CustomerEventsQuestion, Store
from tallystick.usage.question import WindowSize
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.json_values import moment
from tallystick_server.parameters import AsOf, Cursor, MeterKeys, RangeEnd, RangeStart, SourceOnly, meter_keys

from .schemas import CustomerEventsOut, ProofOut, customer_events_out, proof_out

CUSTOMER_EVENTS_MAX = 10_000
_JSON = "application/json"

ListLimit = Annotated[
    int,
    QueryParameter(name="limit", ge=1, le=CUSTOMER_EVENTS_MAX, description="How many events a page has at most."),
]


class StatementController(Controller):
    """What one customer used, and the proof of it."""

    path = "/v1/customers"
    tags = ("Statements",)

    @get(
        "/{key:str}/statement",
        operation_id="getStatement",
        summary="State a customer's usage",
        opt=allowed(Scope.READ, 404, 422, 424),
    )
    async def statement(  # noqa: PLR0913 - declared one by one, so that the document lists them
        self,
        *,
        key: FromPath[str],
        access: Access,
        request: Request[None, ApiKey, State],
        start: RangeStart,
        end: RangeEnd,
        as_of: AsOf = None,
        timezone: Annotated[
            str,
            QueryParameter(
                name="timezone", max_length=64, description="The IANA name of the zone that windows follow."
            ),
        ] = "UTC",
        window: Annotated[
            WindowSize, QueryParameter(name="window", description="Figures of windows beside that of the range.")
        ] = WindowSize.TOTAL,
        meter: MeterKeys = None,
    ) -> Response[Statement]:
        """State what a customer used in `[from, to)`: the figure of each meter, the place in the log, and the Merkle root over the events.

        Asked again with the same `as_of`, the answer has the same bytes, whatever came since. Without `meter`, it has every meter that was
        in force at that position and not archived, each in its version of then. A customer without events has a statement of zeros.
        """
        question = StatementQuestion(
            customer=key,
            start=moment("from", start),
            end=moment("to", end),
            as_of=None if as_of is None else Position(as_of),
            timezone=timezone,
            window=window,
            meters=meter_keys(meter),
        )
        body = await access.scan(lambda store: encode_statement(store.statement(question)), request.receive)
        return cast("Response[Statement]", Response(body, media_type=_JSON))

    @get(
        "/{key:str}/statement/proof",
        operation_id="proveStatedEvent",
        summary="Prove that a statement counts an event",
        opt=allowed(Scope.READ, 404),
    )
    async def proof(
        self,
        key: FromPath[str],
        access: Access,
        request: Request[None, ApiKey, State],
        start: RangeStart,
        end: RangeEnd,
        event_id: Annotated[
            str, QueryParameter(name="id", min_length=1, max_length=ID_LENGTH_MAX, description="The event's id.")
        ],
        source: Annotated[
            str,
            QueryParameter(
                name="source", max_length=SOURCE_LENGTH_MAX, description="Its source; empty where it has none."
            ),
        ] = "",
        as_of: AsOf = None,
    ) -> ProofOut:
        """Answer an event's receipt and the audit path from its leaf to the Merkle root of the statement with this range and `as_of`.

        404 `not_found`: the event is not in the log. 404 `not_counted`: it is, but is none of the statement's, and the detail says why.
        """
        question = StatementQuestion(
            customer=key,
            start=moment("from", start),
            end=moment("to", end),
            as_of=None if as_of is None else Position(as_of),
        )
        identity = Identity(source, event_id)
        return proof_out(await access.scan(lambda store: store.prove(question, identity), request.receive), key)

    @get(
        "/{key:str}/events",
        operation_id="listCustomerEvents",
        summary="List a customer's events in the order of the log",
        opt=allowed(Scope.READ),
    )
    async def events(  # noqa: PLR0913 - declared one by one, so that the document lists them
        self,
        *,
        key: FromPath[str],
        access: Access,
        request: Request[None, ApiKey, State],
        start: RangeStart,
        end: RangeEnd,
        source: SourceOnly = None,
        as_of: AsOf = None,
        limit: ListLimit = 1_000,
        cursor: Cursor = None,
    ) -> Response[CustomerEventsOut]:
        """List the events of `[from, to)` by position, voided ones too, each in the state it had at `as_of`.

        Every page of a walk is of the position of its first page, whatever is written meanwhile. This list is what a statement's root is
        made over, and what a list of one's own is compared with.
        """
        question = CustomerEventsQuestion(
            customer=key,
            start=moment("from", start),
            end=moment("to", end),
            source=source,
            as_of=None if as_of is None else Position(as_of),
            limit=limit,
            cursor=cursor,
        )

        def page(store: Store) -> bytes:
            return msgspec.json.encode(customer_events_out(store.customer_events(question)))

        return cast("Response[CustomerEventsOut]", Response(await access.scan(page, request.receive), media_type=_JSON))
