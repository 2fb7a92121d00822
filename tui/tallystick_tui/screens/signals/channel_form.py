"""Make a channel: a webhook, or an address that Apprise knows. The appliance checks the address when it is saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.widgets.choice_field import ChoiceField
from tallystick_tui.widgets.form_field import FormField, TextField

from .records import Channel

_KINDS: Final = (("webhook", "webhook (signed, retried)"), ("apprise", "e-mail, chat, pager (Apprise)"))
_EXAMPLES: Final = {
    "webhook": (
        "A webhook is told by POST, signed after Standard Webhooks, tried again for 24 hours.\n\n"
        "  https://hooks.example.com/tallystick\n\n"
        "Without a secret of yours one is made, and shown once."
    ),
    "apprise": (
        "Some of the addresses that Apprise knows:\n\n"
        "  mailtos://user:password@example.com?to=ops@example.com\n"
        "  slack://TokenA/TokenB/TokenC/#channel\n"
        "  discord://WebhookID/WebhookToken\n"
        "  msteams://TokenA/TokenB/TokenC\n"
        "  pagerduty://IntegrationKey@ApiKey\n"
        "  ntfys://topic\n\n"
        "The address is kept sealed, and never shown whole again."
    ),
}


class ChannelForm(FormScreen[Channel]):
    """The form; answers the channel, with the secret if one was made."""

    def __init__(self, client: ApplianceClient) -> None:
        super().__init__("New channel")
        self._client = client
        self._key = TextField("key", "Key", hint="What signals call it: letters, digits, _ . -", is_required=True)
        self._kind = ChoiceField("kind", "Kind", _KINDS, "webhook", is_required=True)
        self._url = TextField(
            "url", "Address", placeholder="https://…", hint="Private and local addresses only if the operator allows them",
            is_required=True,
        )  # fmt: skip
        self._name = TextField("name", "Name", hint="What people call it")
        self._secret = TextField("secret", "Secret", placeholder="made by the appliance", is_secret=True,
                                 hint="whsec_ and base64; leave empty to have one made")  # fmt: skip
        self._example = Static(_EXAMPLES["webhook"], markup=False, id="channel-examples", classes="pane")

    def compose_fields(self) -> Iterable[Widget]:
        """Lay out the fields."""
        yield from (self._key, self._kind, self._url, self._name, self._secret)

    def compose_aside(self) -> Iterable[Widget]:
        """Lay out examples of the chosen kind."""
        yield self._example

    @on(FormField.Changed)
    def follow(self, event: FormField.Changed) -> None:
        """Show what means something for the kind."""
        event.stop()
        kind = self._kind.value or "webhook"
        self._secret.display = kind == "webhook"
        self._example.update(_EXAMPLES[kind])

    async def save(self) -> Channel:
        """Make the channel. Raises `ApplianceFailure`."""
        body: dict[str, object] = {"key": self._key.value, "kind": self._kind.value, "url": self._url.value}
        if self._name.value:
            body["name"] = self._name.value
        if self._secret.value and self._kind.value == "webhook":
            body["secret"] = self._secret.value
        return await self._client.tell("POST", "/v1/channels", body, answer=Channel)
