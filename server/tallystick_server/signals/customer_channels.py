"""Which kinds of channel the signals of customers may use: those that the operator's setting names.

A kind is `webhook`, or the scheme of a service such as `mailtos` or `slack`. The operator's own signals use any channel.
"""

from __future__ import annotations

from tallystick.errors import InvalidDefinition, NotFound
from tallystick.signals.channel import Channel, ChannelKind
from tallystick.signals.signal import Signal
from tallystick.store import Store


class CustomerChannels:
    """The kinds that are allowed."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self._kinds = kinds

    def check(self, signal: Signal, store: Store) -> None:
        """Raise `InvalidDefinition` if a customer's own signal tells a channel of another kind."""
        if signal.owner is None:
            return
        for key in signal.channels:
            try:
                kind = kind_of(store.outbox.channel(key))
            except NotFound as error:
                raise InvalidDefinition("channels", f"there is no channel {key!r}: make it first") from error
            if kind not in self._kinds:
                allowed = ", ".join(self._kinds) or "none"
                raise InvalidDefinition(
                    "channels",
                    f"{key!r} is of the kind {kind}, and a customer's own signal may use {allowed}: "
                    "the setting customer_channels says which",
                )


def kind_of(channel: Channel) -> str:
    """Return what the setting calls a channel's kind."""
    return "webhook" if channel.kind is ChannelKind.WEBHOOK else channel.address.partition("://")[0].lower()
