"""Channels: made, changed, tried, deleted."""

from __future__ import annotations

import asyncio
from time import monotonic

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from tallystick.api_key import Scope
from tallystick.signals.channel import Channel
from tallystick.signals.delivery import Delivery
from tallystick.store import Store
from tallystick_server.auth import allowed
from tallystick_server.deliveries.schemas import DeliveryOut, delivery_out
from tallystick_server.dependencies import Access, Present
from tallystick_server.outgoing.post_office import PostOffice
from tallystick_server.store_access import StoreAccess

from .making import changed_channel, made_channel
from .schemas import ChannelCreate, ChannelCreated, ChannelOut, ChannelsOut, ChannelUpdate, channel_created, channel_out

# As long as one try may take.
_TEST_TIMEOUT_S = 15.0
_LOOK_EVERY_S = 0.05


class ChannelController(Controller):
    """Where messages about signals go. Answers never hold a secret."""

    path = "/v1/channels"
    tags = ("Channels",)

    @get("/", operation_id="listChannels", summary="List channels", opt=allowed(Scope.READ))
    async def everything(self, access: Access) -> ChannelsOut:
        """List channels by key, with how many messages wait for each."""

        def listed(store: Store) -> list[ChannelOut]:
            queues = store.outbox.queues()
            return [
                channel_out(channel, waiting=queues[channel.key].waiting if channel.key in queues else 0)
                for channel in store.outbox.channels()
            ]

        return ChannelsOut(await access.read(listed))

    @post("/", operation_id="createChannel", summary="Make a channel", opt=allowed(Scope.ADMIN, 409, 422))
    async def create(
        self, data: JSONBody[ChannelCreate], access: Access, post_office: NamedDependency[PostOffice]
    ) -> ChannelCreated:
        """Make a channel. Its address is checked, and refused if it is private, local, or of a service that is not allowed.

        Address and secret are encrypted before they are stored. A webhook without a `secret` gets one, which is in this answer alone.
        """
        channel, secret = await made_channel(data, post_office)
        made = await access.read(lambda store: store.outbox.put_channel(channel, create=True))
        return channel_created(made, secret=secret)

    @get("/{key:str}", operation_id="getChannel", summary="Show a channel", opt=allowed(Scope.READ, 404))
    async def show(self, key: FromPath[str], access: Access) -> ChannelOut:
        """Show one channel."""
        return await _shown(key, access)

    @patch("/{key:str}", operation_id="updateChannel", summary="Change a channel", opt=allowed(Scope.ADMIN, 404, 422))
    async def change(
        self,
        key: FromPath[str],
        data: JSONBody[ChannelUpdate],
        access: Access,
        clock: Present,
        post_office: NamedDependency[PostOffice],
    ) -> ChannelOut:
        """Change a channel by a merge patch: a new secret, another address, a name; or take a disabled one back."""
        current: Channel = await access.read(lambda store: store.outbox.channel(key))
        changed = await changed_channel(current, data, post_office, now=clock.now())
        await access.read(lambda store: store.outbox.put_channel(changed, create=False))
        return await _shown(key, access)

    @delete("/{key:str}", operation_id="deleteChannel", summary="Delete a channel", opt=allowed(Scope.ADMIN, 404, 422))
    async def remove(self, key: FromPath[str], access: Access) -> None:
        """Delete a channel that no signal names; what waits for it is cancelled."""
        await access.read(lambda store: store.outbox.delete_channel(key))

    @post(
        "/{key:str}/test",
        operation_id="testChannel",
        summary="Send a test message",
        opt=allowed(Scope.ADMIN, 404, 422),
        status_code=200,
    )
    async def test(self, key: FromPath[str], access: Access) -> DeliveryOut:
        """Send a test message, once, and answer what came of it: its `state` is `delivered` or `failed`, or `waiting` after 15 seconds."""
        queued: Delivery = await access.read(lambda store: store.outbox.queue_test(key))
        delivery, ends_at = queued, monotonic() + _TEST_TIMEOUT_S
        while not delivery.is_over and monotonic() < ends_at and not access.is_draining:
            await asyncio.sleep(_LOOK_EVERY_S)
            delivery = await access.read(lambda store: store.outbox.delivery(queued.id))
        return delivery_out(delivery)


async def _shown(key: str, access: StoreAccess) -> ChannelOut:
    def found(store: Store) -> ChannelOut:
        queue = store.outbox.queues().get(key)
        return channel_out(store.outbox.channel(key), waiting=queue.waiting if queue else 0)

    return await access.read(found)
