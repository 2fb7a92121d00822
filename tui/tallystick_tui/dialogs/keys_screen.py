"""Every key that does something on the screen below, with what it does."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Static

from tallystick_tui.app_of import app_of
from tallystick_tui.navigation import Section

from .dialog import Dialog

# Keys that need no line: ending by ^q is as q; copying has its own hint; the sections have one line together.
_LEFT_OUT = frozenset({"ctrl+q", "ctrl+c", "super+c", *(section.key for section in Section)})
_SECTIONS = ", ".join(section.value for section in Section)

# Columns of the box, and between a key and its words.
_WIDTH: Final = 72
_GAP: Final = 2


class KeysScreen(Dialog[None]):
    """A table of keys: first what is particular to the screen and its focused part, then what is so everywhere, then how to move."""

    SCROLLS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close"),
    ]
    DEFAULT_CSS = f"""
    KeysScreen > .dialog-box {{ width: {_WIDTH}; }}
    KeysScreen > .dialog-box > Static {{ width: 1fr; }}
    """

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        lines = list(self._lines())
        keys_width = max(len(key) for key, _ in lines)
        # Of a terminal too narrow for the box: 96 of 100 columns, as the style of dialogs says, less borders, padding and scroll bar.
        words_width = max(min(_WIDTH, app_of(self).size.width * 96 // 100) - 6 - keys_width - _GAP, 10)
        table: list[Content] = []
        for key, words in lines:
            first, *others = textwrap.wrap(words, words_width)
            table.append(Content.assemble((key.ljust(keys_width + _GAP), "bold"), first))
            table.extend(Content(" " * (keys_width + _GAP) + other) for other in others)
        with self.box("Keys", "esc closes"):
            # Text that is already cut into lines is drawn several times as fast as a table of Rich's.
            yield Static(Content("\n").join(table))

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
