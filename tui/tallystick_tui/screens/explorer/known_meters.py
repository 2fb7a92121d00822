"""Which meters can be asked, as the appliance listed them; archived ones too, since their usage stays."""

from __future__ import annotations

from tallystick_tui.connection.appliance_client import ApplianceClient, segment

from .answer import Meter

_ARCHIVED_TOO = ("include_archived", "true")


class KnownMeters:
    """The first thousand by key, and whichever was asked for beside them."""

    def __init__(self, client: ApplianceClient) -> None:
        self.items: list[Meter] = []
        self._client, self._is_fresh = client, False

    @property
    def live(self) -> list[Meter]:
        """Those that are not archived."""
        return [meter for meter in self.items if meter.archived_at is None]

    def of(self, key: str) -> Meter | None:
        """Return one of them."""
        return next((meter for meter in self.items if meter.key == key), None)

    def forget(self) -> None:
        """Have them listed anew when they are next needed."""
        self._is_fresh = False

    async def load(self, key: str) -> None:
        """List them, unless that was done, and make sure that one is there. Raises `ApplianceFailure`."""
        if not self._is_fresh:
            self.items = (await self._client.ask_page("/v1/meters", [_ARCHIVED_TOO], item=Meter, limit=1000)).items
            self._is_fresh = True
        if key and self.of(key) is None:
            self.items.append(await self._client.ask(f"/v1/meters/{segment(key)}", [_ARCHIVED_TOO], answer=Meter))
