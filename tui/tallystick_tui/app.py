"""The dashboard: nine sections over one appliance, spoken to by HTTP alone.

Promises: never blocks (all questions in workers); a lost connection shows a banner, is tried again with growing pauses, and what is on the
screen or in a form stays; the key is kept in memory only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, cast
from weakref import WeakSet

from textual import events, on, work
from textual import worker as workers
from textual.app import App, SystemCommand
from textual.await_remove import AwaitRemove
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme
from textual.widget import Widget

from .config.failure import ConfigFailure
from .connection.appliance_client import ApplianceClient
from .connection.failure import ApplianceFailure, Unreachable
from .dialogs.confirmation import Confirmation
from .dialogs.form_screen import FormScreen
from .dialogs.keys_screen import KeysScreen
from .navigation import Destination, Section
from .palette import CustomerCommands, KeyCommands, MeterCommands, SectionCommands
from .screens.section_screen import SectionScreen
from .styled import Styled
from .themes import DEFAULT_THEME, THEMES
from .viewer import Viewer
from .widgets.go_to import GoTo

_PAUSE_FIRST_S: Final = 0.25
_PAUSE_MAX_S: Final = 5.0
# A section has its parts and first figures by then.
_OPENED_AFTER_S: Final = 1.0


class DashboardApp(App[None]):
    """The app. `name` is how the connection is called; it is shown beside the tabs."""

    TITLE = "Tallystick"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = App.COMMANDS | {SectionCommands, MeterCommands, CustomerCommands, KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(section.key, f"section('{section.value}')", section.value, show=False) for section in Section),
        Binding("1-9", "nothing", "Sections", key_display="1-9"),
        Binding("question_mark", "keys", "All keys", key_display="?"),
        # Also where letters are typed.
        Binding("f1", "keys", "All keys", key_display="F1"),
        Binding(
            "ctrl+p",
            "command_palette",
            "Find",
            key_display="^p",
            tooltip="Sections, meters, customers, actions",
            show=False,
        ),
        Binding("q", "quit", "Quit", tooltip="End the dashboard; the appliance goes on"),
    ]

    def __init__(
        self,
        client: ApplianceClient,
        *,
        viewer: Viewer | None = None,
        name: str | None = None,
        theme: str | None = None,
    ) -> None:
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.viewer = viewer or Viewer()
        theme = theme or (self.viewer.kept.read().theme if self.viewer.kept else None)
        self.theme = theme if theme in self.available_themes else DEFAULT_THEME
        self.sub_title = f"{name or client.url} · {self.viewer.zone_name}"
        self.client = client
        self.lost_words = ""
        # The section from which somebody was sent to one: there escape goes back to.
        self._origins: dict[str, str] = {}
        # What is being taken away.
        self._going = WeakSet[DOMNode]()
        # Called once a section is there that was not opened before.
        self.after_opening: Callable[[], None] | None = None
        client.on_lost = self._on_lost
        if self.viewer.is_plain:
            self.animation_level = "none"
            self.add_class("-plain")
        for section in Section:
            self.add_mode(section.value, self._opener(section))  # pyright: ignore[reportUnknownMemberType] - Textual's generic

    def _opener(self, section: Section) -> Callable[[], Screen[None]]:
        def opened() -> Screen[None]:
            from .screens.catalogue import screen_of  # noqa: PLC0415 - a section's code is loaded when it is first shown

            if self.after_opening is not None:
                self.set_timer(_OPENED_AFTER_S, self.after_opening)
            return screen_of(section)(self.client, self.viewer)

        return opened

    def on_mount(self) -> None:
        """Begin with the overview."""
        self.switch_mode(Section.OVERVIEW.value)
        if self.viewer.kept is not None:
            self.viewer.kept.say = self._warn
            self.theme_changed_signal.subscribe(self, self._on_theme_chosen)

    async def on_unmount(self) -> None:
        """Close the connections."""
        await self.client.close()

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        # Whatever goes, a part, a dialog, or every screen at the end, goes by here. Textual ends a widget's workers after its children are
        # gone; an answer that comes in between would look for one of them, and end the dashboard with an error.
        gone = set[DOMNode](nodes)
        self._going.update(gone)
        try:
            here = cast("object", workers.get_current_worker())  # pyright: ignore[reportUnknownMemberType] - of any result
        except workers.NoActiveWorker:
            here = None
        for worker in list(self.workers):
            # The one that closes its own screen may still have something to say.
            if worker is not here and not gone.isdisjoint(worker.node.ancestors_with_self):
                worker.cancel()
        return super()._prune(*nodes, parent=parent)

    def is_going(self, node: DOMNode) -> bool:
        """Whether it is being taken away: whoever begins to ask now would find its parts gone."""
        return node in self._going

    def _on_theme_chosen(self, theme: Theme) -> None:
        self.keep_theme(theme.name)

    @work(thread=True, group="keep-theme")
    def keep_theme(self, name: str) -> None:
        """Remember the theme for the next start."""
        try:
            if self.viewer.kept is not None:
                self.viewer.kept.choose_theme(name)
        except ConfigFailure as failure:
            self._warn(str(failure))

    def _warn(self, line: str) -> None:
        # From whichever thread reads or writes what is kept.
        self.call_later(self.notify, line, title="Your config folder", severity="warning", timeout=15)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # Any: whatever it answers
        """Offer Textual's own commands, but for those that a key of the dashboard does in its own way."""
        ours = {"Keys", "Quit", "Maximize", "Minimize"}
        commands = super().get_system_commands(screen)  # pyright: ignore[reportUnknownMemberType] - Textual's generic
        yield from (command for command in commands if command.title not in ours)

    def deliver_screenshot(
        self, filename: str | None = None, path: str | None = None, time_format: str | None = None
    ) -> str | None:
        """Write a picture of the screen to where the dashboard was started: a server has no folder of downloads."""
        return super().deliver_screenshot(filename, path or ".", time_format)

    @on(events.DeliveryFailed)
    def say_why_not_written(self, event: events.DeliveryFailed) -> None:
        """Say why it could not be written, where Textual says only that."""
        event.prevent_default()
        self.notify(f"no picture: {event.exception}", severity="error", markup=False)

    def delay_update(self, delay: float = 0.0) -> None:
        """Hold nothing back, where Textual holds drawing for 50 ms at each change of a section: a key is to be answered sooner."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is done to every line that is drawn; without colours, that a piece without a style gets one first."""
        filters = super().get_line_filters()
        return [Styled(), *filters] if self.no_color else filters

    def action_section(self, name: str) -> None:
        """Show a section."""
        self.go_to(Destination(Section(name)))

    def action_nothing(self) -> None:
        """Stand in the footer for the keys 1 to 9."""

    async def action_quit(self) -> None:
        """End the dashboard; after a question, if a form would be lost."""
        if any(isinstance(screen, FormScreen) and screen.is_changed for screen in self.screen_stack):
            self._quit_if_meant()
        else:
            self.exit()

    @work(exclusive=True, group="quit")
    async def _quit_if_meant(self) -> None:
        question = Confirmation("End the dashboard?", "A form that you changed is not saved.", does="End")
        if await self.push_screen_wait(question):
            self.exit()

    def action_keys(self) -> None:
        """List every key that does something here."""
        self.push_screen(KeysScreen(self.screen))

    def on_go_to(self, message: GoTo) -> None:
        """Show a destination that a widget of the app itself asked for."""
        self.go_to(message.destination)

    def go_to(self, destination: Destination) -> None:
        """Switch to the destination's section and hand it over; dialogs of that section are closed."""

        async def arrive() -> None:
            before = self.screen
            self._remember_origin(destination)
            await self.switch_mode(destination.section.value)
            while len(self.screen_stack) > 1:
                await self.pop_screen()
            screen = self.screen
            if isinstance(screen, SectionScreen):
                screen.arrive(destination)
                # One that is shown anew loads by itself, though perhaps before it knew what somebody came for.
                if screen is before or destination != Destination(destination.section):
                    screen.reload()

        self.call_next(arrive)

    def _remember_origin(self, destination: Destination) -> None:
        self._origins.pop(destination.section, None)
        here = self.current_mode
        if here != destination.section and destination != Destination(destination.section):
            self._origins[destination.section] = here

    @property
    def origin(self) -> str | None:
        """The section from where somebody was sent to the present one; None if that was opened by its own key."""
        return self._origins.get(self.current_mode)

    def go_back(self) -> None:
        """Go back to where somebody was sent from, as it was left."""
        if self.origin is not None:
            section = self.screen_stack[0]
            if isinstance(section, SectionScreen):
                section.left()
            self.switch_mode(self._origins.pop(self.current_mode))

    def _on_lost(self, failure: Unreachable) -> None:
        if not self.lost_words:
            self._show_lost(str(failure))
            self.find_again()

    def _show_lost(self, words: str) -> None:
        self.lost_words = words
        if not self.is_running:
            return  # it ends, and its screens go
        for screen in self.screen_stack:
            if isinstance(screen, SectionScreen | FormScreen) and screen.is_mounted:
                screen.show_connection(words)

    @work(exclusive=True, group="find-again")
    async def find_again(self) -> None:
        """Ask whether the appliance is ready, with growing pauses, until it is; then let the present section load."""
        pause_s = _PAUSE_FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_MAX_S)
            try:
                await self.client.call("GET", "/health/ready", timeout_s=_PAUSE_MAX_S)
            except Unreachable as failure:
                self._show_lost(str(failure))
            except ApplianceFailure:
                break  # it answers: what it refuses, the section says
            else:
                break
        self._show_lost("")
        if not self.is_running:
            return
        # The section, and what of it is opened over it.
        for screen in self.screen_stack:
            if isinstance(screen, SectionScreen):
                screen.reload()
