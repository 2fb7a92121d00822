"""One delivery: what it tells, and every try of it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tallystick_tui.dialogs.dialog import Dialog
from tallystick_tui.viewer import Viewer

from .deliveries_view import delivery_in_full
from .records import Delivery


class DeliveryPage(Dialog[None]):
    """The delivery, over the list."""

    SCROLLS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss(None)", "Close")]
    DEFAULT_CSS = """
    DeliveryPage > .dialog-box { width: 90; max-width: 98%; max-height: 94%; }
    DeliveryPage Static { width: 1fr; }
    """

    def __init__(self, delivery: Delivery, viewer: Viewer) -> None:
        super().__init__()
        self._delivery, self._viewer = delivery, viewer

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with self.box("Delivery", "esc closes"):
            yield Static(delivery_in_full(self._delivery, self._viewer.zone), markup=False)
