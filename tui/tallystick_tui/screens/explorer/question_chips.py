"""The question in one or two lines: each part with the key that changes it; a click does the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from tallystick_tui.texts.harmless import cut

_LINES_MAX: Final = 3
_CHIP_MAX: Final = 36


@dataclass(frozen=True, slots=True)
class Chip:
    """A key, the action that it stands for, and the present value."""

    key: str
    action: str
    words: str
    is_set: bool = True


class QuestionChips(Widget):
    """Chips, wrapped as a whole each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chip--key", "chip--set", "chip--unset", "chip--key-of-unset"}

    class Pressed(Message):
        """Somebody clicked a chip."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    DEFAULT_CSS = """
    QuestionChips { height: auto; padding: 0 1; background: $surface; }
    QuestionChips > .chip--key { color: $accent; background: $panel; text-style: bold; }
    QuestionChips > .chip--set { color: $foreground; background: $panel; }
    QuestionChips > .chip--unset { color: $secondary; background: $surface; text-style: italic; }
    QuestionChips > .chip--key-of-unset { color: $accent; background: $surface; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._chips: tuple[Chip, ...] = ()
        self._places: list[tuple[int, int, int, str]] = []

    @property
    def words(self) -> str:
        """What stands there, as one line."""
        return "  ".join(f"{chip.key} {chip.words}" for chip in self._chips)

    def show(self, chips: Sequence[Chip]) -> None:
        """Show these."""
        if tuple(chips) != self._chips:
            self._chips = tuple(chips)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - as Textual calls it
        """Return how many lines the chips take."""
        return max(1, len(self._lines(width)))

    def render(self) -> RenderResult:
        """Draw the chips, and remember where each is for the mouse."""
        drawn, self._places = list[Text](), []
        style = {name: self.get_component_rich_style(name) for name in self.COMPONENT_CLASSES}
        for y, line in enumerate(self._lines(self.size.width)):
            text = Text(no_wrap=True, overflow="ellipsis")
            for chip in line:
                start = text.cell_len
                text.append(f" {chip.key} ", style["chip--key" if chip.is_set else "chip--key-of-unset"])
                text.append(f"{_words(chip)} ", style["chip--set" if chip.is_set else "chip--unset"])
                self._places.append((y, start, text.cell_len, chip.action))
                text.append(" ")
            drawn.append(text)
        return Text("\n").join(drawn)

    def on_click(self, event: events.Click) -> None:
        """Do what the key does."""
        place = event.get_content_offset(self)
        if place is None:
            return
        for y, start, end, action in self._places:
            if place.y == y and start <= place.x < end:
                self.post_message(self.Pressed(action))
                return

    def _lines(self, width: int) -> list[list[Chip]]:
        lines: list[list[Chip]] = [[]]
        used = 0
        for chip in self._chips:
            size = len(chip.key) + len(_words(chip)) + 4
            if lines[-1] and used + size - 1 > width and len(lines) < _LINES_MAX:
                lines.append([])
                used = 0
            lines[-1].append(chip)
            used += size
        return lines


def _words(chip: Chip) -> str:
    return cut(chip.words, _CHIP_MAX)
