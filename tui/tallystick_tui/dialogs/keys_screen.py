"""Every key that does something on the screen below, with what it does."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult, RenderResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from tallystick_tui.app_of import app_of
from tallystick_tui.navigation import Section

from .dialog import Dialog

# Keys that need no line: ending by ^q is as q; copying has its own hint; the sections have one line together.
_LEFT_OUT = frozenset({"ctrl+q", "ctrl+c", "super+c", *(section.key for section in Section)})
_SECTIONS = ", ".join(section.value for section in Section)

# Columns between a key and its words.
_GAP: Final = 2


class KeyTable(Widget):
    """Keys and what they do, in two columns, cut into lines for the width there is: several times as fast as a table of Rich's."""

    DEFAULT_CSS = """
    KeyTable { width: 1fr; height: auto; }
    """

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.rows = rows
        self._keys_width = max(cell_len(key) for key, _ in rows) + _GAP

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - as Textual calls it
        """Return how many lines there are."""
        return sum(len(self._cut(words, width)) for _, words in self.rows)

    def render(self) -> RenderResult:
        """Draw the lines."""
        lines: list[Content] = []
        for key, words in self.rows:
            first, *others = self._cut(words, self.content_size.width)
            lines.append(Content.assemble((set_cell_size(key, self._keys_width), "bold"), first))
            lines.extend(Content(" " * self._keys_width + other) for other in others)
        return Content("\n").join(lines)

    def _cut(self, words: str, width: int) -> list[str]:
        return textwrap.wrap(words, max(width - self._keys_width, 10)) or [""]


class KeysScreen(Dialog[None]):
    """A table of keys: first what is particular to the screen and its focused part, then what is so everywhere, then how to move."""

    SCROLLS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close"),
    ]
    DEFAULT_CSS = """
    KeysScreen > .dialog-box { width: 72; }
    """

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        with self.box("Keys", "esc closes"):
            yield KeyTable(list(self._lines()))

    def _lines(self) -> Iterator[tuple[str, str]]:
        seen: set[str] = set()
        for active in self._in_order(self._below.active_bindings.values()):
            binding = active.binding
            if binding.key in _LEFT_OUT or binding.action in seen or not binding.description:
                continue
            seen.add(binding.action)
            words = binding.description + (f": {binding.tooltip}" if binding.tooltip else "")
            yield app_of(self).get_key_display(binding), _SECTIONS if binding.key == "1-9" else words

    def _in_order(self, active: Iterable[ActiveBinding]) -> list[ActiveBinding]:
        def rank(each: ActiveBinding) -> int:
            if not _is_ours(each.node, each.binding):
                return 2
            return 1 if each.node is app_of(self) else 0

        return sorted(active, key=rank)


def _is_ours(node: DOMNode, binding: Binding) -> bool:
    """Whether the dashboard declares it; what Textual's widgets bring moves the cursor or the focus."""
    declaring = [cls for cls in type(node).__mro__ if _declares(cls, binding)]
    return any(cls.__module__.startswith("tallystick_tui.") for cls in declaring)


def _declares(cls: type, binding: Binding) -> bool:
    declared = Binding.make_bindings(cls.__dict__.get("BINDINGS", ()))
    return any(each.action == binding.action and each.description == binding.description for each in declared)
