"""API keys of the appliance, and how this dashboard looks. `n` makes a key, `x` revokes the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Select, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient, Page
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.secret_shown_once import SecretShownOnce
from tallystick_tui.navigation import Section
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts import moments
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

from .api_key import ApiKey
from .new_key_form import NewKeyForm

_COLUMNS = (
    Column("name", "Key"),
    Column("scopes", "May"),
    Column("prefix", "Prefix"),
    Column("used", "Used", "right"),
    Column("ends", "Ends", "right"),
    Column("created", "Made", "right"),
)
_SOON_DAYS = 7


class SettingsScreen(SectionScreen):
    """Keys to the left, this dashboard to the right (below, where it is narrow)."""

    SECTION: ClassVar[Section] = Section.SETTINGS
    REFRESH_S: ClassVar[float | None] = 10.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_key", "New key", tooltip="Make an API key; it is shown once"),
        Binding(
            "x,delete", "revoke_key", "Revoke", key_display="x", tooltip="Revoke the key under the cursor, at once"
        ),
    ]
    DEFAULT_CSS = """
    SettingsScreen #settings-panes { height: 1fr; layout: vertical; }
    SettingsScreen.-wide #settings-panes { layout: horizontal; }
    SettingsScreen.-wide #keys-pane { width: 2fr; height: 1fr; }
    SettingsScreen #view-pane { height: auto; }
    SettingsScreen.-wide #view-pane { width: 1fr; height: 1fr; }
    SettingsScreen #view-pane Select { height: auto; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._names: dict[str, str] = {}
        self._own_key: str | None = None

    def compose_content(self) -> Iterable[Widget]:
        """Lay out both panes."""
        keys = Vertical(RecordTable(_COLUMNS, id="keys"), id="keys-pane", classes="pane")
        keys.border_title = "API keys"
        themes = sorted(app_of(self).available_themes)
        chosen = app_of(self).theme
        view = Vertical(
            Static(id="about", markup=False),
            Select([(name, name) for name in themes], value=chosen, allow_blank=False, id="theme", prompt="Theme"),
            id="view-pane",
            classes="pane",
        )
        view.border_title = "This dashboard"
        yield Horizontal(keys, view, id="settings-panes")

    async def load(self) -> None:
        """List the keys."""
        page = await self.client.ask("/v1/api-keys", answer=Page[ApiKey])
        now = self.viewer.now()

        def since(text: str | None, otherwise: str) -> str:
            return moments.age(moments.parsed(text), now) if text else otherwise

        def ends(key: ApiKey) -> str | Text:
            if key.expires_at is None:
                return "never"
            left = moments.parsed(key.expires_at) - now
            words = "ended" if left.total_seconds() <= 0 else moments.age(moments.parsed(key.expires_at), now)
            return Text(f"! {words}", style="bold") if left.days < _SOON_DAYS else words

        self.query_one("#keys", RecordTable).show(
            [
                Record(
                    key.id,
                    (
                        key.name,
                        ", ".join(key.scopes),
                        f"{key.prefix}…",
                        since(key.last_used_at, "not yet"),
                        ends(key),
                        since(key.created_at, ""),
                    ),
                )
                for key in page.items
            ]
        )
        self.query_one("#about", Static).update(self._about())
        # It may have been chosen in the palette.
        self.query_one("#theme", Select).value = app_of(self).theme
        self._names = {key.id: key.name for key in page.items}
        self._own_key = next((key.id for key in page.items if self.client.is_own_key(key.prefix)), None)
        self.show_content()

    def _about(self) -> str:
        latency = self.client.round_trip_ms
        return "\n".join(
            (
                f"appliance   {self.client.url}",
                f"answers in  {latency:.0f} ms" if latency is not None else "answers in  –",  # noqa: RUF001
                f"time zone   {self.viewer.zone_name}",
                f"drawings    {'off: text only' if self.viewer.is_plain else 'on'}",
                "",
                "theme",
            )
        )

    @work(group="dialog")
    async def action_new_key(self) -> None:
        """Ask for name and scopes, and show the secret once."""
        made = await self.answer_of(NewKeyForm(self.client, self.viewer))
        if made is not None:
            title = f"Key “{made.name}” ({', '.join(made.scopes)})"
            words = "This is the key. It is shown this once; the appliance keeps only a hash of it."
            await app_of(self).push_screen_wait(SecretShownOnce(title, words, secret=made.key))
            self.reload()

    @work(group="dialog")
    async def action_revoke_key(self) -> None:
        """Revoke the key under the cursor, if it is meant."""
        key_id = self.query_one("#keys", RecordTable).chosen
        if key_id is None:
            return
        name = self._names.get(key_id, key_id)
        words = f"Whatever uses the key “{name}” is refused from the next request on. This cannot be taken back."
        if key_id == self._own_key:
            words = f"! This dashboard's own key begins the same: if it is this one, the dashboard is refused too.\n\n{words}"
        question = Confirmation("Revoke this key?", words, does="Revoke")
        if not await self.answer_of(question):
            return
        try:
            await self.client.call("DELETE", f"/v1/api-keys/{key_id}")
        except ApplianceFailure as failure:
            self.notify(str(failure), severity="error", title="Not revoked", markup=False)
        else:
            self.notify(f"“{name}” is revoked.", markup=False)
        self.reload()

    @on(Select.Changed, "#theme")
    def take_theme(self, event: Select.Changed) -> None:
        """Change the theme at once."""
        if isinstance(event.value, str) and event.value in app_of(self).available_themes:
            app_of(self).theme = event.value
