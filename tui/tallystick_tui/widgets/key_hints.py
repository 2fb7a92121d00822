"""The line at the bottom: the keys that do something here, with what they do; a click does the same.

One widget that draws a line, where Textual's `Footer` mounts a widget for each key and does so anew at each change of the focus: that took
a third of the time until a section or a form was seen.

Where there is no room for all, those that are so everywhere and the one that lists every key stay, and of the others the first ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget

from tallystick_tui.app_of import app_of

_MORE: Final = " … "


@dataclass(frozen=True, slots=True)
class KeyHint:
    """One key. `is_idle`: it is known here, and does nothing just now; `is_kept`: it stays where there is no room for all."""

    key: str
    shown: str
    words: str
    tooltip: str
    is_idle: bool
    is_kept: bool

    @property
    def width(self) -> int:
        """Columns that it takes."""
        return cell_len(f" {self.shown} {self.words} ")


class KeyHints(Widget):
    """The hints of its screen."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"key-hints--hover", "key-hints--key", "key-hints--words"}  # noqa: RUF012 - as Textual declares it
    DEFAULT_CSS = """
    KeyHints {
        dock: bottom; height: 1; text-wrap: nowrap; pointer: pointer; color: $footer-foreground; background: $footer-background;
        .key-hints--key { color: $footer-key-foreground; background: $footer-key-background; text-style: bold; }
        .key-hints--hover { background: $block-hover-background; }
        .key-hints--words { color: $footer-description-foreground; background: $footer-description-background; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.hints: Sequence[KeyHint] = ()
        self._places: list[tuple[range, KeyHint]] = []
        self._hovered: KeyHint | None = None

    def on_mount(self) -> None:
        """Follow what is bound, which changes with the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._on_bindings)  # pyright: ignore[reportUnknownMemberType] - generic

    def _on_bindings(self, screen: Screen[Any]) -> None:  # Any: whatever the screen answers
        if screen is not self.screen or not app_of(screen).app_focus:
            return  # a terminal that lies behind another window goes on to show what it did
        hints = _hints_of(screen)
        if hints != self.hints:
            self.hints = hints
            self.refresh()

    def render(self) -> RenderResult:
        """Draw the line, and remember where each hint stands for the mouse."""
        line = Text()
        self._places = []
        kept = [hint for hint in self.hints if hint.is_kept]
        own = fitting(self.hints, self.size.width)
        for hint in own:
            self._append(line, hint)
        if len(own) + len(kept) < len(self.hints):
            line.append(_MORE, self.get_component_rich_style("key-hints--words"))
        for hint in kept:
            self._append(line, hint)
        return line

    def _append(self, line: Text, hint: KeyHint) -> None:
        begin, first = len(line), line.cell_len
        line.append(f" {hint.shown} ", self.get_component_rich_style("key-hints--key"))
        line.append(f"{hint.words} ", self.get_component_rich_style("key-hints--words"))
        if hint.is_idle:
            line.stylize("dim", begin)
        if hint is self._hovered:
            line.stylize(self.get_component_rich_style("key-hints--hover", partial=True), begin)
        self._places.append((range(first, line.cell_len), hint))

    def _under(self, event: events.MouseEvent) -> KeyHint | None:
        return next((hint for place, hint in self._places if event.x in place), None)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark the hint under the mouse, and tell more about it."""
        self._hover(self._under(event))

    def on_leave(self) -> None:
        """Mark none."""
        self._hover(None)

    def _hover(self, hint: KeyHint | None) -> None:
        if hint is not self._hovered:
            self._hovered = hint
            self.tooltip = hint.tooltip if hint and hint.tooltip else None
            self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Do what the key does."""
        hint = self._under(event)
        if hint is None:
            return
        event.stop()
        if hint.is_idle:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType] - Textual's generic
        else:
            app_of(self).simulate_key(hint.key)


def fitting(hints: Sequence[KeyHint], width: int) -> list[KeyHint]:
    """Return which of the other hints fit into so many columns beside those that are kept."""
    own = [hint for hint in hints if not hint.is_kept]
    left = width - sum(hint.width for hint in hints if hint.is_kept)
    if sum(hint.width for hint in own) <= left:
        return own
    left -= len(_MORE)
    fit: list[KeyHint] = []
    for hint in own:
        left -= hint.width
        if left < 0:
            break
        fit.append(hint)
    return fit


def _hints_of(screen: Screen[Any]) -> list[KeyHint]:
    app, hints, focused = app_of(screen), dict[str, KeyHint](), screen.focused
    for active in screen.active_bindings.values():
        binding = active.binding
        if focused is not None and focused.check_consume_key(binding.key, key_to_character(binding.key)):
            continue  # where somebody types, it is a letter
        # Of several keys for the same the first is told.
        if binding.show and binding.action not in hints:
            hints[binding.action] = KeyHint(
                key=binding.key,
                shown=app.get_key_display(binding),
                words=binding.description,
                tooltip=active.tooltip,
                is_idle=not active.enabled,
                is_kept=active.node is app or binding.action == "keys",
            )
    return list(hints.values())
