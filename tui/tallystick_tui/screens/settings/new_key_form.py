"""The form for a new API key. Stays open, with all that was typed, until the appliance has made the key or the person leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Select, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure, Refused
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.dialog import Dialog
from tallystick_tui.texts import moments
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.check_box import CheckBox

from .api_key import SCOPES, ApiKeyDraft, NewApiKey

_LIFETIMES_DAYS: Final = (("never", 0), ("in 1 day", 1), ("in 30 days", 30), ("in 90 days", 90), ("in 365 days", 365))


class NewKeyForm(Dialog[NewApiKey | None]):
    """The new key, or None if the person left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave"),
        Binding("ctrl+s", "make", "Make the key"),
    ]
    DEFAULT_CSS = """
    NewKeyForm > .dialog-box { width: 66; max-width: 98%; max-height: 100%; }
    NewKeyForm .label { text-style: bold; height: 1; }
    NewKeyForm #problem { color: $error; height: auto; display: none; }
    NewKeyForm #problem.-shown { display: block; }
    NewKeyForm Horizontal { height: auto; align-horizontal: right; }
    NewKeyForm Button { margin-left: 2; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__()
        self._client, self._viewer = client, viewer
        # An answer on its way belongs to this form: it stays until it is there.
        self._is_making = False

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with self.box("New API key", "^s makes it, esc leaves"):
            yield Static("Name", classes="label")
            yield Input(placeholder="which program uses it, such as gateway-1", id="name", max_length=128)
            yield Static("It may", classes="label")
            for scope, words in SCOPES.items():
                yield CheckBox(f"{scope}: {words}", value=scope == "ingest", id=f"scope-{scope}")
            yield Static("It ends", classes="label")
            yield Select(_LIFETIMES_DAYS, value=0, allow_blank=False, id="lifetime")
            yield Static(id="problem", markup=False)
            with Horizontal():
                yield Button("Leave", id="leave")
                yield Button("Make the key", id="make", variant="primary")

    @work(exclusive=True, group="leave")
    async def action_leave(self) -> None:
        """Make no key; after a question, if something was typed."""
        question = Confirmation("Leave the form?", "The key is not made.", does="Leave")
        if self._is_making:
            return
        if not self.query_one("#name", Input).value or await app_of(self).push_screen_wait(question):
            self.dismiss(None)

    def action_make(self) -> None:
        """Ask the appliance for the key."""
        self._make()

    @on(Input.Submitted)
    def make_by_enter(self) -> None:
        """Make it as the button does."""
        self._make()

    @on(Button.Pressed)
    def choose(self, event: Button.Pressed) -> None:
        """Make or leave."""
        if event.button.id == "make":
            self._make()
        else:
            self.action_leave()

    @work(exclusive=True, group="make-key")
    async def _make(self) -> None:
        draft = self._draft()
        if draft is None or not self.is_active:
            return
        self._is_making = True
        try:
            made = await self._client.tell("POST", "/v1/api-keys", draft, answer=NewApiKey)
        except ApplianceFailure as failure:
            details = failure.fields.values() if isinstance(failure, Refused) else ()
            self._is_making = False
            self._say("; ".join(dict.fromkeys([str(failure), *details])))
        else:
            self.dismiss(made)

    def _draft(self) -> ApiKeyDraft | None:
        name = self.query_one("#name", Input).value.strip()
        scopes = [scope for scope in SCOPES if self.query_one(f"#scope-{scope}", CheckBox).value]
        if not name:
            self._say("A key needs a name: you will want to know later what uses it.")
            self.query_one("#name").focus()
            return None
        if not scopes:
            self._say("A key needs something that it may do.")
            return None
        days = cast("Select[int]", self.query_one("#lifetime", Select)).value
        expires_at = None
        if isinstance(days, int) and days > 0:
            expires_at = moments.rfc3339(self._viewer.now() + timedelta(days=days))
        return ApiKeyDraft(name=name, scopes=scopes, expires_at=expires_at)

    def _say(self, words: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(words)
        problem.set_class(bool(words), "-shown")
