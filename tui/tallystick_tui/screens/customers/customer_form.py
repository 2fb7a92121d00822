"""A customer's description, new or changed."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import available_timezones

from textual.widget import Widget

from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.customer import Customer
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.texts.harmless import harmless
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.form_field import TextField
from tallystick_tui.widgets.pairs_field import PairsField
from tallystick_tui.widgets.suggested_field import SuggestedField


class CustomerForm(FormScreen[Customer]):
    """The form; answers the customer as it was saved. `customer` may be one that only events name: its key is taken over."""

    def __init__(self, client: ApplianceClient, viewer: Viewer, customer: Customer | None = None) -> None:
        is_change = customer is not None and customer.known
        title = (
            "New customer" if customer is None else f"{'Change' if is_change else 'Describe'} {harmless(customer.key)}"
        )
        super().__init__(title)
        self._client, self._viewer, self._customer, self._is_change = client, viewer, customer, is_change

    def compose_fields(self) -> Iterable[Widget]:
        """Lay out the fields."""
        customer = self._customer
        if customer is None:
            yield TextField("key", "Key", hint="The customer, as its events name it; stays for ever.", is_required=True)
        yield TextField("name", "Name", (customer.name or "") if customer else "", hint="What people call it.")
        yield TextField("email", "E-mail", (customer.email or "") if customer else "", hint="Where to write to.")
        yield SuggestedField(
            "time_zone", "Time zone", customer.time_zone if customer and self._is_change else self._viewer.zone_name,
            known=sorted(available_timezones()), hint="IANA name of its calendar: months of its page and windows of its signals follow it.",
        )  # fmt: skip
        yield PairsField(
            "metadata", "Metadata", customer.metadata if customer else {},
            hint="Names with a text each, kept as they are: plan = pro.",
        )  # fmt: skip

    async def save(self) -> Customer:
        """Describe the customer, or change its description."""
        texts = {field.field_name: field.value for field in self.query(TextField)}
        metadata = self.query_one(PairsField).value
        body: dict[str, object] = {name: texts[name] or None for name in ("name", "email")}
        body["time_zone"] = texts["time_zone"] or "UTC"
        customer = self._customer
        if customer is not None and self._is_change:
            body["metadata"] = {**dict.fromkeys(customer.metadata), **metadata}
            return await self._client.tell("PATCH", f"/v1/customers/{segment(customer.key)}", body, answer=Customer)
        body |= {"key": texts["key"] if customer is None else customer.key, "metadata": metadata}
        return await self._client.tell("POST", "/v1/customers", body, answer=Customer)
