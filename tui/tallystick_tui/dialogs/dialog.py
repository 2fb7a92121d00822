"""What all dialogs share: a box in the middle, over the screen below, with a title and how to leave it in its border."""

from __future__ import annotations

from typing import ClassVar, TypeVar, cast

from textual.app import RenderResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from tallystick_tui.ready_screen import ReadyScreen

from .dimmed import Dimmed

T = TypeVar("T")


class Dialog(ModalScreen[T], ReadyScreen[T]):
    """A modal screen that lays its content out in `box`. `SCROLLS`: whether what does not fit is scrolled."""

    SCROLLS: ClassVar[bool] = False
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > .dialog-box { width: 64; max-width: 96%; height: auto; background: $surface; border: round $primary; padding: 0 1; }
    Dialog > VerticalScroll.dialog-box { max-height: 90%; }
    """

    def render(self) -> RenderResult:  # pyright: ignore[reportIncompatibleMethodOverride] - it says less than widgets may draw
        """Draw the screen below, dimmed, as every modal screen does."""
        drawn = super().render()
        if not isinstance(drawn, BackgroundScreen):
            return drawn
        return Dimmed(cast("Screen[object]", drawn.screen), drawn.color)  # pyright: ignore[reportUnknownMemberType] - generic

    def box(self, title: str, hint: str = "") -> Widget:
        """Return the box, to be filled in a `with`. The title is read as it is: names in it may hold brackets, which are no markup."""
        box = (VerticalScroll if self.SCROLLS else Vertical)(classes="dialog-box")
        box.border_title, box.border_subtitle = Content(title), hint
        return box
