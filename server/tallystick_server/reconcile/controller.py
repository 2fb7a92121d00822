"""Reconciling: give it your own list, and it says what both have, what one of them lacks, and what differs."""

from __future__ import annotations

from typing import Annotated, cast

import msgspec
from litestar import Controller, Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tallystick.api_key import ApiKey, Scope
from tallystick.event import CUSTOMER_LENGTH_MAX, Position
from tallystick.reconcile.question import Direction, ReconcileQuestion
from tallystick.store import Store
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.event_decoding import EventDecoding, checked_encoding
from tallystick_server.json_values import moment
from tallystick_server.parameters import AsOf, MeterKeys, RangeEnd, RangeStart, SourceOnly, meter_keys

from .schemas import ReconcileOut, reconcile_out


class ReconcileController(Controller):
    """Somebody else's list beside the log."""

    path = "/v1/reconcile"
    tags = ("Statements",)

    @post(
        "/",
        operation_id="reconcile",
        summary="Compare your list with the log",
        opt=allowed(Scope.READ, 404, 422, 424),
        status_code=200,
        request_max_body_size=None,  # bounded in front of the framework, as bodies of events are
    )
    async def compare(  # noqa: PLR0913, PLR0917 - one for each parameter
        self,
        request: Request[None, ApiKey, State],
        access: Access,
        decoding: NamedDependency[EventDecoding],
        customer: Annotated[
            str,
            QueryParameter(
                name="customer", min_length=1, max_length=CUSTOMER_LENGTH_MAX, description="Whose events are compared."
            ),
        ],
        start: RangeStart,
        end: RangeEnd,
        source: SourceOnly = None,
        as_of: AsOf = None,
        direction: Annotated[
            Direction,
            QueryParameter(
                name="direction", description="`yours`: look the list up, and do not search the log for what it lacks."
            ),
        ] = Direction.BOTH,
        meter: MeterKeys = None,
    ) -> Response[ReconcileOut]:
        """Compare a list of at most 10,000 events, parts of events or ids with what the log has of the customer in `[from, to)`.

        An item with a `type` is an event in full; one without names an event by its `id`, and what else it names is compared; a text is an
        id. All is compared as the log was at `as_of`, which the answer names: pass it on where a list is sent in several requests. With
        `meter`, each meter's figure over both sides is answered too.
        """
        encoding = checked_encoding(request.headers.get("content-encoding", "").encode("latin-1"))
        media_type = request.headers.get("content-type", "application/json")
        question = ReconcileQuestion(
            customer=customer,
            start=moment("from", start),
            end=moment("to", end),
            source=source,
            as_of=None if as_of is None else Position(as_of),
            meters=meter_keys(meter),
            direction=direction,
        )
        claims = await decoding.claims_in_thread(
            await request.body(), media_type, encoding, customer=customer, source=source
        )

        def answer(store: Store) -> bytes:
            return msgspec.json.encode(reconcile_out(store.reconcile(claims, question), question))

        body = await access.scan(answer, request.receive)
        return cast("Response[ReconcileOut]", Response(body, media_type="application/json"))
