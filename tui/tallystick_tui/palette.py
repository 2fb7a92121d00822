"""What the command palette finds: sections, meters, customers, and every key's action on the present screen."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from .connection.failure import ApplianceFailure
from .navigation import Destination, Section, ToCustomer, ToMeter

if TYPE_CHECKING:
    from .app import DashboardApp

# Of each kind; more are found by typing more of them.
_CUSTOMERS_MAX: Final = 20


# What is a key's alone: sections are found by name, and moving about is not looked for.
_NO_COMMANDS: Final = (
    "section(",
    "nothing",
    "app.section(",
    "app.command_palette",
    "app.focus_",
    "screen.copy_text",
)


class _Named(msgspec.Struct, frozen=True):
    key: str
    name: str | None = None


class _DashboardCommands(Provider):
    @property
    def dashboard(self) -> DashboardApp:
        """The app, by its own type."""
        return cast("DashboardApp", self.app)

    def hit(self, query: str, text: str, destination: Destination, about: str) -> Hit | None:
        """Return a hit if the text matches what was typed."""
        matcher = self.matcher(query)
        score, offsets = matcher.fuzzy_search.match(query, text)
        if score <= 0:
            return None
        # Not by `highlight`, which reads markup: a name may look like it.
        shown = Content(text)
        for offset in offsets:
            shown = shown.stylize(matcher.match_style, offset, offset + 1)
        return Hit(score, shown, partial(self.dashboard.go_to, destination), text=text, help=about)


class SectionCommands(_DashboardCommands):
    """The nine sections."""

    async def discover(self) -> Hits:
        """List all of them before anything is typed."""
        for section in Section:
            yield DiscoveryHit(
                f"Go to {section.value}", partial(self.dashboard.go_to, Destination(section)), help=f"key {section.key}"
            )

    async def search(self, query: str) -> Hits:
        """List those whose names match."""
        for section in Section:
            found = self.hit(query, f"Go to {section.value}", Destination(section), f"key {section.key}")
            if found is not None:
                yield found


class MeterCommands(_DashboardCommands):
    """Meters, by key and name."""

    async def startup(self) -> None:
        """Ask for the meters once, when the palette opens."""
        self._meters: list[_Named] = []
        try:
            self._meters = (await self.dashboard.client.ask_page("/v1/meters", item=_Named, limit=1000)).items
        except ApplianceFailure:
            return  # the banner, or the section, says it

    async def search(self, query: str) -> Hits:
        """List the meters that match."""
        for meter in self._meters:
            text = f"Meter {meter.key}" + (f" · {meter.name}" if meter.name else "")
            found = self.hit(query, text, ToMeter(key=meter.key), "open this meter")
            if found is not None:
                yield found


class CustomerCommands(_DashboardCommands):
    """Customers, by key and name: described ones, and those that only events name."""

    async def search(self, query: str) -> Hits:
        """List the customers that match, as far as one look of the appliance finds them: this is asked at each key."""
        for known in ("true", "false"):
            params = [("known", known), ("search", query.strip())]
            try:
                page = await self.dashboard.client.ask_page("/v1/customers", params, item=_Named, limit=_CUSTOMERS_MAX)
            except ApplianceFailure:
                return  # the banner, or the section, says it
            for customer in page.items:
                text = f"Customer {customer.key}" + (f" · {customer.name}" if customer.name else "")
                found = self.hit(query, text, ToCustomer(key=customer.key), "open this customer")
                if found is not None:
                    yield found


class KeyCommands(_DashboardCommands):
    """What the keys of the present screen do."""

    async def discover(self) -> Hits:
        """List what the screen itself offers before anything is typed."""
        for active in self._offered():
            if active.node is self.screen:
                yield DiscoveryHit(active.binding.description, self._does(active), help=self._about(active))

    async def search(self, query: str) -> Hits:
        """List actions whose words match."""
        matcher = self.matcher(query)
        for active in self._offered():
            words = active.binding.description
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, matcher.highlight(words), self._does(active), help=self._about(active))

    def _offered(self) -> list[ActiveBinding]:
        return [
            active
            for active in self.screen.active_bindings.values()
            if active.enabled and active.binding.description and not active.binding.action.startswith(_NO_COMMANDS)
        ]

    def _does(self, active: ActiveBinding) -> partial[Coroutine[Any, Any, bool]]:  # Any: what a coroutine is
        return partial(self.app.run_action, active.binding.action, default_namespace=active.node)

    def _about(self, active: ActiveBinding) -> str:
        key = f"key {self.app.get_key_display(active.binding)}"
        return f"{key}: {active.binding.tooltip}" if active.binding.tooltip else key
