"""What all nine sections share: the tabs above, the keys below, and how content comes in between.

A section says what it is made of (`compose_content`) and how it is filled (`load`); this class calls `load` when the section is shown,
every `REFRESH_S` seconds while it stays shown, on `r`, and as soon as a lost connection is back. `load` runs in a worker: a newer one
cancels an older, and with it the appliance's work. Failures become words on the screen; nothing that was shown or typed is lost.

States: loading (nothing came yet), content, empty (`show_empty`: says what to do next), failed (nothing could ever be shown), and
content with a line above it that says why it could not be refreshed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure, Unreachable
from tallystick_tui.navigation import Destination, Section
from tallystick_tui.ready_screen import ReadyScreen
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.go_to import GoTo
from tallystick_tui.widgets.key_hints import KeyHints
from tallystick_tui.widgets.nav_bar import NavBar
from tallystick_tui.widgets.state_message import StateMessage

if TYPE_CHECKING:
    from tallystick_tui.app import DashboardApp

    from .detail_screen import DetailScreen

T = TypeVar("T")


class SectionScreen(ReadyScreen[None]):
    """One section. Subclasses set `SECTION`, and give `compose_content` and `load`."""

    SECTION: ClassVar[Section]
    REFRESH_S: ClassVar[float | None] = 5.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reload", "Refresh", tooltip="Ask the appliance again", show=False),
        Binding("escape", "return", "Back", tooltip="Go back to the section from where this was opened"),
    ]
    DEFAULT_CSS = """
    SectionScreen #content { height: 1fr; }
    SectionScreen #content.-hidden { display: none; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__()
        self.client, self.viewer = client, viewer
        self.has_content = False
        # What stands above the content as long as it is so, though everything could be asked.
        self.notice = ""
        self._timer: Timer | None = None

    @property
    def dashboard(self) -> DashboardApp:
        """The app, by its own type."""
        return cast("DashboardApp", app_of(self))

    def compose(self) -> ComposeResult:
        """Lay out what is common around `compose_content`."""
        yield NavBar(self.SECTION)
        yield ConnectionBanner()
        yield FailureLine()
        yield StateMessage()
        with Container(id="content", classes="-hidden"):
            yield from self.compose_content()
        yield KeyHints()

    def compose_content(self) -> Iterable[Widget]:
        """Yield the widgets of this section."""
        raise NotImplementedError

    async def load(self) -> None:
        """Ask the appliance and show what it says; end with `show_content` or `show_empty`. Raises `ApplianceFailure`."""
        raise NotImplementedError

    def arrive(self, destination: Destination) -> None:
        """Show what somebody came for. A subclass handles its own destinations; `load` follows by itself."""

    def left(self) -> None:
        """Be again as before `arrive`: somebody went back to where they came from. Nothing by default."""

    def on_mount(self) -> None:
        """Say that it is loading, until something came."""
        self.query_one("#state", StateMessage).say("loading …")

    def on_screen_resume(self) -> None:
        """Fill the section anew whenever it is shown."""
        self.show_connection(self.dashboard.lost_words)
        # First it is seen as it was: questions and their answers come after.
        self.call_after_refresh(self._load_shown)
        if self.REFRESH_S is not None and self._timer is None:
            self._timer = self.set_interval(self.REFRESH_S, self.reload)

    def _load_shown(self) -> None:
        if self.is_current:  # and not left meanwhile
            self.reload()

    def on_screen_suspend(self) -> None:
        """Ask nothing while another section is shown."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way back where there is one."""
        if action == "return":
            return self.dashboard.origin is not None
        return super().check_action(action, parameters)

    def action_return(self) -> None:
        """Go back to the section from where this was opened."""
        self.dashboard.go_back()

    def action_reload(self) -> None:
        """Ask again because somebody wants to."""
        self.reload()

    @work(exclusive=True, group="load", exit_on_error=True)
    async def reload(self) -> None:
        """Run `load`, and put what failed into words."""
        if self.dashboard.is_going(self):
            return
        try:
            await self.load()
        except Unreachable as failure:
            if not self.has_content:
                self.show_failure(f"{failure}\n\ntrying again by itself")
        except ApplianceFailure as failure:
            if self.has_content:
                self.say(f"could not refresh: {failure}")
            else:
                self.show_failure(f"{failure}\n\nr tries again")
        else:
            self.say(self.notice)

    def say(self, words: str) -> None:
        """Put a line above the content; an empty text takes it away."""
        # An answer may come while the dashboard ends, when nothing is there any more to say it in.
        for line in self.query(FailureLine):
            line.say(words)

    def show_content(self) -> None:
        """Show the content in place of a message."""
        self.has_content = True
        self.query_one("#state", StateMessage).hide()
        self.query_one("#content").remove_class("-hidden")

    def show_empty(self, words: str) -> None:
        """Say that there is nothing, and what to do next, in place of the content."""
        self.has_content = False
        self.query_one("#state", StateMessage).say(words)
        self.query_one("#content").add_class("-hidden")

    def show_failure(self, words: str) -> None:
        """Say what failed, in place of content that never came."""
        self.has_content = False
        self.query_one("#state", StateMessage).say(f"! {words}")
        self.query_one("#content").add_class("-hidden")

    def show_connection(self, lost_words: str) -> None:
        """Show or hide the banner of a lost connection."""
        self.query_one(ConnectionBanner).words = lost_words

    def open_page(self, page: DetailScreen, *, is_sent_for: bool = False) -> None:
        """Show one thing over the list; `is_sent_for` if another section asked for it."""
        page.is_sent_for = is_sent_for
        app_of(self).push_screen(page)

    async def answer_of(self, dialog: Screen[T]) -> T | None:
        """Show a form or a question, and return its answer; None also where another was opened meanwhile, by keys that came quickly."""
        return await app_of(self).push_screen_wait(dialog) if self.is_active else None

    def go_to(self, destination: Destination) -> None:
        """Show something in another section."""
        self.post_message(GoTo(destination))

    @on(GoTo)
    def pass_on(self, message: GoTo) -> None:
        """Let the app handle it, also from dialogs within."""
        message.stop()
        self.dashboard.go_to(message.destination)
