"""Deliveries: listed with their attempts, and sent once more."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import FromPath, QueryParameter

from tallystick.api_key import Scope
from tallystick.signal_store import DeliveriesQuestion
from tallystick.signals.delivery import DeliveryEvent, DeliveryState
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.parameters import Cursor, Limit

from .schemas import DeliveriesOut, DeliveryOut, delivery_out


class DeliveryController(Controller):
    """Messages on their way, and those that arrived or did not."""

    path = "/v1/deliveries"
    tags = ("Deliveries",)

    @get("/", operation_id="listDeliveries", summary="List deliveries", opt=allowed(Scope.READ))
    async def page(
        self,
        *,
        access: Access,
        channel: Annotated[
            str | None, QueryParameter(name="channel", description="Only those to this channel.")
        ] = None,
        signal: Annotated[
            str | None, QueryParameter(name="signal", description="Only those that tell of this signal.")
        ] = None,
        stands: Annotated[
            DeliveryState | None, QueryParameter(name="state", description="Only those that stand like this.")
        ] = None,
        event: Annotated[
            DeliveryEvent | None, QueryParameter(name="event", description="Only those of this kind.")
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> DeliveriesOut:
        """List messages, newest first, each with its attempts and what the receiver said to them."""
        question = DeliveriesQuestion(
            channel=channel, signal=signal, state=stands, event=event, limit=limit, cursor=cursor
        )
        page = await access.read(lambda store: store.outbox.deliveries(question))
        return DeliveriesOut([delivery_out(delivery) for delivery in page.items], page.next_cursor)

    @get("/{delivery_id:str}", operation_id="getDelivery", summary="Show a delivery", opt=allowed(Scope.READ, 404))
    async def show(self, delivery_id: FromPath[str], access: Access) -> DeliveryOut:
        """Show one message."""
        return delivery_out(await access.read(lambda store: store.outbox.delivery(delivery_id)))

    @post(
        "/{delivery_id:str}/redeliver",
        operation_id="redeliver",
        summary="Send a message once more",
        opt=allowed(Scope.ADMIN, 404, 422),
        status_code=200,
    )
    async def redeliver(self, delivery_id: FromPath[str], access: Access) -> DeliveryOut:
        """Send a message once more, under its own id, and try for another 24 hours."""
        return delivery_out(await access.read(lambda store: store.outbox.redeliver(delivery_id)))
