"""What is in the newest events: their types, their properties and values of these, as suggestions. Bounded, so never all there is."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tallystick_tui.connection.appliance_client import ApplianceClient

_EVENTS: Final = 200
_VALUES_MAX: Final = 50


class _Seen(msgspec.Struct, frozen=True):
    type: str
    properties: dict[str, Any] = {}  # Any: texts, numbers, true and false


class EventSamples(msgspec.Struct, frozen=True):
    """Types by how often they occurred, and the values of each property, newest first."""

    types: list[str]
    values: dict[str, list[str]]

    @property
    def properties(self) -> list[str]:
        """Names of properties, by name."""
        return sorted(self.values)

    @property
    def fields(self) -> list[str]:
        """What a meter can read."""
        return ["value", "customer", *(f"properties.{name}" for name in self.properties)]


NO_SAMPLES: Final = EventSamples([], {})


async def ask_samples(client: ApplianceClient, event_type: str | None = None) -> EventSamples:
    """Return what the newest events (of a type) hold. Raises `ApplianceFailure`."""
    params = [] if not event_type else [("type", event_type)]
    page = await client.ask_page("/v1/events", params, item=_Seen, limit=_EVENTS)
    types: dict[str, int] = {}
    values: dict[str, dict[str, None]] = {}
    for event in page.items:
        types[event.type] = types.get(event.type, 0) + 1
        for name, value in event.properties.items():
            seen = values.setdefault(name, {})
            if len(seen) < _VALUES_MAX:
                seen[_text(value)] = None
    return EventSamples(
        sorted(types, key=lambda each: -types[each]), {name: list(seen) for name, seen in values.items()}
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
