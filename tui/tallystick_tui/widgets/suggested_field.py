"""A line of text with suggestions: what is known already and holds what was typed, in a list that opens below it.

Promises: anything may be typed, suggested or not; the list opens when something is typed or on down, and never covers the line itself; at
most `SHOWN_MAX` are shown. With a `separator` the piece after the last one is completed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList

from .form_field import TextField

SHOWN_MAX: Final = 8


class SuggestingInput(Input):
    """The line; it asks its surrounding for the list below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "suggest(1)", "Suggestions", show=False),
        Binding("up", "suggest(-1)", "Suggestions", show=False),
        Binding("escape", "close_suggestions", "Close suggestions", show=False),
        Binding("enter", "take_suggestion", "Take suggestion", show=False),
    ]

    class Asked(Message):
        """Move in the list (`step`), take what is marked, or close it."""

        def __init__(self, *, step: int = 0, takes: bool = False) -> None:
            super().__init__()
            self.step, self.takes = step, takes

    is_open = False
    is_marked = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys to others while there is no list."""
        if action == "close_suggestions":
            return self.is_open
        if action == "suggest" and parameters == (-1,):
            return self.is_open
        return super().check_action(action, parameters)

    def action_suggest(self, step: int) -> None:
        """Open the list, or move in it."""
        self.post_message(self.Asked(step=step))

    def action_close_suggestions(self) -> None:
        """Close the list."""
        self.post_message(self.Asked())

    async def action_take_suggestion(self) -> None:
        """Take what is marked; without a mark, enter is enter."""
        if self.is_open and self.is_marked:
            self.post_message(self.Asked(takes=True))
        else:
            await self.action_submit()


class SuggestedLine(Vertical):
    """The line with its list. Used by fields; a message of the line's goes on to them."""

    DEFAULT_CSS = """
    SuggestedLine { height: 1; width: 1fr; }
    SuggestedLine > OptionList {
        display: none; overlay: screen; constrain: none inside; height: auto; max-height: 10; width: 100%; background: $surface;
        border: round $primary; scrollbar-size-vertical: 1; padding: 0 1;
    }
    SuggestedLine > OptionList.-open { display: block; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "", separator: str = "") -> None:
        super().__init__()
        self.line = SuggestingInput(value, placeholder=placeholder, compact=True)
        self.known: Sequence[str] = ()
        self._separator = separator
        self._list = OptionList(markup=False)
        self._list.can_focus = False
        self._typed_by_choice = False
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out the line; the list is drawn over what is below."""
        yield self.line
        yield self._list

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Show what holds the new text."""
        if self._typed_by_choice:
            self._typed_by_choice = False
        elif self.line.has_focus:
            self._open()

    def on_suggesting_input_asked(self, event: SuggestingInput.Asked) -> None:
        """Open, move, take or close."""
        event.stop()
        if event.takes:
            self._take_marked()
        elif not event.step:
            self._close()
        elif not self.line.is_open:
            self._open(all_if_none=True)
        elif event.step > 0 and self._list.highlighted is None:
            self._mark(0)
        else:
            self._list.action_cursor_down() if event.step > 0 else self._list.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take what was clicked."""
        event.stop()
        self._list.highlighted = event.option_index
        self._take_marked()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """Close the list when the focus goes away."""
        self._close()

    def _matching(self, *, all_if_none: bool) -> list[str]:
        typed = self._pieces()[-1].strip().casefold()
        first = [text for text in self.known if text.casefold().startswith(typed)]
        then = [text for text in self.known if typed in text.casefold() and text not in first]
        found = [text for text in (*first, *then) if text.casefold() != typed or len(first) > 1]
        if not found and all_if_none:
            found = list(self.known)
        return found[:SHOWN_MAX]

    def _pieces(self) -> list[str]:
        return self.line.value.split(self._separator) if self._separator else [self.line.value]

    def _open(self, *, all_if_none: bool = False) -> None:
        found = self._matching(all_if_none=all_if_none)
        self._list.clear_options()
        self._list.add_options([Text(text, no_wrap=True, overflow="ellipsis") for text in found])
        self._shown = found
        self._list.highlighted = None
        self._list.set_class(bool(found), "-open")
        self.line.is_open, self.line.is_marked = bool(found), False
        if all_if_none and found:
            self._mark(0)

    def _mark(self, place: int) -> None:
        self._list.highlighted = place
        self.line.is_marked = True

    def _close(self) -> None:
        self._list.remove_class("-open")
        self.line.is_open = self.line.is_marked = False

    def _take_marked(self) -> None:
        place = self._list.highlighted
        self._close()
        if place is None:
            return
        pieces = self._pieces()
        lead = " " if len(pieces) > 1 else ""
        self._typed_by_choice = True
        self.line.value = self._separator.join([*pieces[:-1], lead + self._shown[place]])
        self.line.cursor_position = len(self.line.value)
        self.line.focus()


class SuggestedField(TextField):
    """One line of text with suggestions (`known`)."""

    def __init__(
        self,
        field_name: str,
        label: str,
        value: str = "",
        *,
        known: Sequence[str] = (),
        separator: str = "",
        placeholder: str = "",
        hint: str = "",
        is_required: bool = False,
    ) -> None:
        super().__init__(field_name, label, hint=hint, is_required=is_required)
        self._around = SuggestedLine(value, placeholder=placeholder, separator=separator)
        self._around.known = known
        self.line = self._around.line

    @property
    def known(self) -> Sequence[str]:
        """What is suggested."""
        return self._around.known

    @known.setter
    def known(self, texts: Sequence[str]) -> None:
        self._around.known = texts

    def compose_control(self) -> Iterable[Widget]:
        """Yield the line with its list."""
        yield self._around
