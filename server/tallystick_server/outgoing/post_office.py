"""Sends one message to one channel, whatever its kind, and checks addresses before a channel is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tallystick.entropy import Entropy
from tallystick.errors import InvalidDefinition
from tallystick.instant import Clock
from tallystick.signals.channel import Channel, ChannelKind
from tallystick.signals.delivery import Delivery, DeliveryEvent
from tallystick.signals.signal import Signal

from .child_process import ChildProcess, NoAnswer
from .child_protocol import SendMessage
from .networks import Networks
from .payload import MessageOut, Payloads
from .seal import Seal, SealBroken
from .sent import Sent, cut
from .webhook_address import check_webhook_url, shown_webhook_url
from .webhook_sender import WebhookSender
from .wording import Wording, facts_for_template, template_names, with_template, wording_of

_SEND_TIMEOUT_S = 10.0
# Beyond the child's own: so that it answers, rather than being given up.
_CHILD_TIMEOUT_S = 25.0
_RENDER_TIMEOUT_S = 2.0
_SENDER_BYTES_MAX = 2 * 1024**3
_RENDERER_BYTES_MAX = 1024**3


class PostOffice:
    """Everything that leaves. For the event loop's thread."""

    def __init__(
        self,
        networks: Networks,
        seal: Seal,
        payloads: Payloads,
        *,
        clock: Clock,
        entropy: Entropy,
        user_agent: str,
        child_command: Sequence[str],
    ) -> None:
        self.networks, self.seal, self.payloads, self.entropy = networks, seal, payloads, entropy
        self.webhooks = WebhookSender(networks, clock=clock, user_agent=user_agent)
        self._sender = ChildProcess(child_command, networks, memory_bytes_max=_SENDER_BYTES_MAX)
        # Another one than sends: a template that never ends takes only this one with it.
        self._renderer = ChildProcess(child_command, Networks(), memory_bytes_max=_RENDERER_BYTES_MAX)

    async def checked_address(self, kind: ChannelKind, url: str) -> str:
        """Return the address of a channel as it may be shown. Raises `InvalidDefinition` if no message may go there."""
        if kind is ChannelKind.WEBHOOK:
            await check_webhook_url(url, self.networks)
            return shown_webhook_url(url)
        if "***" in url:
            raise InvalidDefinition("url", "holds asterisks where a part was hidden from you: give the whole of it")
        try:
            reply = await self._sender.check_url(url)
        except NoAnswer as error:
            raise InvalidDefinition("url", f"could not be checked: {error}") from error
        if not reply.is_good:
            raise InvalidDefinition("url", reply.text)
        return reply.text

    async def check_template(self, template: str) -> None:
        """Fill a template in with an example. Raises `InvalidDefinition` where that fails."""
        try:
            reply = await self._renderer.render(template, template_names(), timeout_s=_RENDER_TIMEOUT_S)
        except NoAnswer as error:
            raise InvalidDefinition("template", f"takes too long or too much memory ({error})") from error
        if not reply.is_good:
            raise InvalidDefinition("template", reply.text)

    async def send(self, channel: Channel, delivery: Delivery, signals: Mapping[str, Signal]) -> Sent:
        """Try once."""
        try:
            secrets = self.seal.open(channel.key, channel.sealed)
        except SealBroken as error:
            return Sent(is_delivered=False, detail=cut(str(error)))
        if channel.kind is ChannelKind.WEBHOOK:
            body = self.payloads.body(delivery, signals)
            return await self.webhooks.send(secrets, message_id=delivery.id, body=body)
        return await self._send_by_apprise(secrets.url, delivery, signals)

    async def close(self) -> None:
        """Close connections and end the children."""
        await self.webhooks.close()
        await self._sender.close()
        await self._renderer.close()

    async def _send_by_apprise(self, url: str, delivery: Delivery, signals: Mapping[str, Signal]) -> Sent:
        message = self.payloads.message(delivery, signals)
        wording, note = await self._worded(message, delivery, signals)
        mood = {DeliveryEvent.RECOVERED: "recovered", DeliveryEvent.TEST: "test"}.get(delivery.event, "fired")

        def make(number: int) -> SendMessage:
            return SendMessage(
                id=number,
                url=url,
                mood=mood,
                title=wording.title,
                text=wording.text,
                markdown=wording.markdown,
                html=wording.html,
                timeout_s=_SEND_TIMEOUT_S,
            )

        try:
            reply = await self._sender.send(make, timeout_s=_CHILD_TIMEOUT_S)
        except NoAnswer as error:
            return Sent(is_delivered=False, detail=cut(str(error)))
        return Sent(is_delivered=reply.is_good, detail=cut("; ".join(part for part in (reply.text, note) if part)))

    async def _worded(
        self, message: MessageOut, delivery: Delivery, signals: Mapping[str, Signal]
    ) -> tuple[Wording, str]:
        """Return the words, and a note where the signal's template could not be filled in and the default took its place."""
        wording = wording_of(message)
        signal = signals.get(delivery.step.signal) if delivery.step is not None else None
        if signal is None or signal.template is None:
            return wording, ""
        try:
            reply = await self._renderer.render(
                signal.template, facts_for_template(message), timeout_s=_RENDER_TIMEOUT_S
            )
        except NoAnswer as error:
            return wording, f"the template was left out: {error}"
        if not reply.is_good:
            return wording, f"the template was left out: {reply.text}"
        return with_template(wording, reply.text), ""
