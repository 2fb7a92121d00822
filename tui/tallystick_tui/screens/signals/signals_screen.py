"""Signals in four lists: what is fired now, the signals, the channels, the deliveries. One key each: f, s, c, d."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, cast

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import NO_BODY, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.secret_shown_once import SecretShownOnce
from tallystick_tui.navigation import Destination, Section, ToCustomer, ToSignal
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.widgets.record_table import RecordTable

from .channel_form import ChannelForm
from .channels_view import ChannelsView
from .deliveries_view import DeliveriesView
from .delivery_page import DeliveryPage
from .fired_view import FiredView
from .records import Delivery, Signal
from .signal_form import SignalForm
from .signal_page import SignalPage
from .signals_view import SignalsView
from .snooze_question import SnoozeQuestion, snooze_body, snoozed_words
from .view import View

_TITLES: Final = {"fired": "Fired now", "signals": "Signals", "channels": "Channels", "deliveries": "Deliveries"}
# The key of a list stands before its title.
_TITLE: Final = "[bold $accent]{key}[/] {title}"
# Which actions mean something in which list; the footer shows those alone.
_ACTIONS: Final = {
    "open": ("fired", "signals", "deliveries"),
    "new": ("fired", "signals", "channels"),
    "edit": ("signals",),
    "snooze": ("fired", "signals"),
    "switch": ("signals", "channels"),
    "delete": ("signals", "channels"),
    "test": ("channels",),
    "again": ("deliveries",),
    "customer": ("fired",),
}


class SignalsScreen(SectionScreen):
    """Four lists of what watches and what was told."""

    SECTION: ClassVar[Section] = Section.SIGNALS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "view('fired')", "Fired now", show=False),
        Binding("s", "view('signals')", "Signals", show=False),
        Binding("c", "view('channels')", "Channels", show=False),
        Binding("d", "view('deliveries')", "Deliveries", show=False),
        Binding("enter", "open", "Open"),
        Binding("n", "new", "New", tooltip="A new signal, or in the list of channels a new channel"),
        Binding("e", "edit", "Edit", tooltip="Change the signal under the cursor"),
        Binding("z", "snooze", "Snooze", tooltip="Hold messages back for a while, or wake"),
        Binding("o", "switch", "On/off", tooltip="Let it watch or send, or not"),
        Binding("t", "test", "Test", tooltip="Send a test message to the channel under the cursor"),
        Binding("a", "again", "Send again", tooltip="Send the delivery under the cursor once more, under its own id"),
        Binding("u", "customer", "Customer", tooltip="Open the customer that it is about"),
        Binding("x,delete", "delete", "Delete", key_display="x", tooltip="Delete what is under the cursor"),
    ]
    DEFAULT_CSS = """
    SignalsScreen TabbedContent { height: 1fr; }
    SignalsScreen TabPane { padding: 0; }
    """

    def compose_content(self) -> Iterable[Widget]:
        """Lay out the lists."""
        with TabbedContent(initial="fired"):
            for key, view in self._views().items():
                with TabPane(_TITLE.format(key=key[0], title=_TITLES[key]), id=key):
                    yield view

    def _views(self) -> dict[str, Widget]:
        classes = {"fired": FiredView, "signals": SignalsView, "channels": ChannelsView, "deliveries": DeliveriesView}
        return {key: cls(self.client, self.viewer, id=f"view-{key}") for key, cls in classes.items()}

    @property
    def present(self) -> View[Any]:  # Any: whichever list is shown
        """The list that is shown."""
        return cast("View[Any]", self.query_one(f"#view-{self.query_one(TabbedContent).active or 'fired'}"))

    async def load(self) -> None:
        """Fill the list that is shown."""
        await self.present.load()
        if not self.has_content:
            self.show_content()
            self.present.query_one(RecordTable).focus()
        self.refresh_bindings()

    def arrive(self, destination: Destination) -> None:
        """Open a signal, or the form for a new one."""
        if isinstance(destination, ToSignal):
            self.action_view("signals")
            if destination.key:
                self.open_signal(destination.key, is_sent_for=True)
            else:
                self.new_signal(dict(destination.new_for))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what means something in the present list, and to what is under the cursor."""
        if action in _ACTIONS and self.is_mounted:
            active = self.query_one(TabbedContent).active or "fired"
            return active in _ACTIONS[action] and (action == "new" or self.present.chosen is not None)
        return super().check_action(action, parameters)

    def action_view(self, key: str) -> None:
        """Show another list."""
        self.query_one(TabbedContent).active = key
        self.present.query_one(RecordTable).focus()

    @on(TabbedContent.TabActivated)
    def fill(self) -> None:
        """Fill the list that was just shown."""
        self.refresh_bindings()
        if self.is_current:
            self.reload()

    @on(View.Opened)
    def open_chosen(self) -> None:
        """Open what was chosen."""
        self.action_open()

    def action_open(self) -> None:
        """Open the record under the cursor."""
        view, chosen = self.present, self.present.chosen
        if chosen is None:
            return
        if isinstance(view, FiredView) and view.chosen is not None:
            self.open_signal(view.chosen.signal)
        elif isinstance(view, SignalsView):
            self.open_signal(cast("Signal", chosen).key)
        elif isinstance(view, DeliveriesView):
            app_of(self).push_screen(DeliveryPage(cast("Delivery", chosen), self.viewer))

    def open_signal(self, key: str, *, is_sent_for: bool = False) -> None:
        """Show one signal with its history."""
        self.open_page(SignalPage(self.client, self.viewer, key), is_sent_for=is_sent_for)

    def action_new(self) -> None:
        """Make a signal, or a channel."""
        if isinstance(self.present, ChannelsView):
            self.new_channel()
        else:
            self.new_signal({})

    def action_edit(self) -> None:
        """Change the signal under the cursor."""
        view = self.present
        if isinstance(view, SignalsView) and view.chosen is not None:
            self.change_signal(view.chosen)

    @work(group="dialog")
    async def change_signal(self, before: Signal) -> None:
        """Change a signal, and say that it is."""
        if await self.answer_of(SignalForm(self.client, self.viewer, before=before)) is not None:
            self.notify(f"{before.key}: changed", markup=False)
            self.reload()

    @work(group="dialog")
    async def new_signal(self, given: dict[str, str]) -> None:
        """Ask for a signal and show it in the list."""
        made = await self.answer_of(SignalForm(self.client, self.viewer, given=given))
        if made is not None:
            self.action_view("signals")
            self.present.choose(made.key)
            self.reload()

    @work(group="dialog")
    async def new_channel(self) -> None:
        """Ask for a channel; show a webhook's secret once."""
        made = await self.answer_of(ChannelForm(self.client))
        if made is not None and made.secret:
            words = "The receiver checks signatures with this secret. It is shown this once."
            await app_of(self).push_screen_wait(SecretShownOnce(f"Channel “{made.key}”", words, secret=made.secret))

    def action_snooze(self) -> None:
        """Hold messages back about what is under the cursor, or wake it."""
        view = self.present
        if isinstance(view, FiredView) and (fired := view.chosen) is not None:
            body: dict[str, object] = {"customer": fired.customer, "group": fired.group}
            about = f"{fired.name or fired.signal} of {fired.customer or 'all customers'}"
            self.snooze(fired.signal, body, about, is_snoozed=fired.state == "snoozed")
        elif isinstance(view, SignalsView) and (signal := view.chosen) is not None:
            self.snooze(signal.key, {}, signal.name or signal.key, is_snoozed=signal.snoozed_until is not None)

    @work(group="dialog")
    async def snooze(self, key: str, subject: dict[str, object], about: str, *, is_snoozed: bool) -> None:
        """Ask for how long, then tell the appliance."""
        for_s = await self.answer_of(SnoozeQuestion(about, is_snoozed=is_snoozed))
        if for_s is None:
            return
        path, body = f"/v1/signals/{segment(key)}/snooze", {**subject, **snooze_body(for_s)}
        await self._tell("POST", path, body, f"{about}: {snoozed_words(for_s)}")

    @work(group="dialog")
    async def action_switch(self) -> None:
        """Turn the signal or channel under the cursor on or off."""
        view = self.present
        if isinstance(view, SignalsView) and (signal := view.chosen) is not None:
            path, body = f"/v1/signals/{segment(signal.key)}", {"enabled": not signal.enabled}
            await self._tell("PATCH", path, body, "off" if signal.enabled else "on")
        elif isinstance(view, ChannelsView) and (channel := view.chosen) is not None:
            path, body = f"/v1/channels/{segment(channel.key)}", {"enabled": not channel.enabled}
            await self._tell("PATCH", path, body, "off" if channel.enabled else "on")

    @work(group="dialog")
    async def action_delete(self) -> None:
        """Delete what is under the cursor, if it is meant."""
        view = self.present
        if isinstance(view, SignalsView) and (signal := view.chosen) is not None:
            path, name = f"/v1/signals/{segment(signal.key)}", signal.name or signal.key
            words = f"The signal “{name}” no longer watches. What it did stays in the log."
        elif isinstance(view, ChannelsView) and (channel := view.chosen) is not None:
            path = f"/v1/channels/{segment(channel.key)}"
            words = f"What waits for the channel “{channel.key}” is cancelled."
        else:
            return
        if await self.answer_of(Confirmation("Delete this?", words, does="Delete")):
            await self._tell("DELETE", path, NO_BODY, "deleted")

    @work(group="dialog")
    async def action_test(self) -> None:
        """Send a test to the channel under the cursor, and say where to see what became of it."""
        view = self.present
        if isinstance(view, ChannelsView) and (channel := view.chosen) is not None:
            path = f"/v1/channels/{segment(channel.key)}/test"
            await self._tell("POST", path, NO_BODY, "a test is on its way: d shows what becomes of it")

    @work(group="dialog")
    async def action_again(self) -> None:
        """Send the delivery under the cursor once more."""
        view = self.present
        if isinstance(view, DeliveriesView) and (delivery := view.chosen) is not None:
            await self._tell("POST", f"/v1/deliveries/{segment(delivery.id)}/redeliver", NO_BODY, "it is sent again")

    def action_customer(self) -> None:
        """Open the customer that it is about."""
        view = self.present
        if isinstance(view, FiredView) and (fired := view.chosen) is not None and fired.customer:
            self.go_to(ToCustomer(key=fired.customer))

    async def _tell(self, method: str, path: str, body: object, done: str) -> None:
        try:
            await self.client.call(method, path, body=body)
        except ApplianceFailure as failure:
            self.notify(str(failure), severity="error", markup=False)
        else:
            self.notify(done, markup=False)
        self.reload()
