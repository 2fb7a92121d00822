"""One thing that a form asks: a label, something to type or choose in, and below it what is wrong with what was typed.

Promises: one row while all is well, so that a form fits into 24; words of a failure stay below their field until it is changed; text of
others (suggestions, the appliance's words) is never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static


class FormField(Vertical):
    """A labelled control. Subclasses give `compose_control`, `state`, and a `value` of their own type."""

    DEFAULT_CSS = """
    FormField { height: auto; }
    FormField > Horizontal { height: auto; }
    FormField .field-label { width: 15; height: 1; padding: 0 1; color: $secondary; }
    FormField.-within .field-label { color: $primary; text-style: bold; }
    FormField .field-error { display: none; height: auto; padding: 0 1 0 15; color: $error; }
    FormField.-failed .field-error { display: block; }
    FormField Input { background: $panel; padding: 0 1; }
    FormField Input.-textual-compact { padding: 0 1; }
    FormField Input:focus { background: $primary 25%; background-tint: $foreground 0%; }
    """
    LABEL_WIDTH: ClassVar[int] = 13

    class Changed(Message):
        """What the field holds is another."""

        def __init__(self, field: FormField) -> None:
            super().__init__()
            self.field = field

        @property
        def control(self) -> FormField:
            """The field."""
            return self.field

    def __init__(self, field_name: str, label: str, *, hint: str = "", is_required: bool = False) -> None:
        super().__init__()
        self.field_name, self.label, self.hint, self.is_required = field_name, label, hint, is_required
        self.failure = self._waiting = ""

    def compose(self) -> ComposeResult:
        """Lay out label, control and the place for words."""
        with Horizontal():
            yield Label(self.label + (" *" if self.is_required else ""), classes="field-label", markup=False)
            yield from self.compose_control()
        yield Static("", classes="field-error", markup=False)

    def compose_control(self) -> Iterable[Widget]:
        """Yield what is typed or chosen in."""
        raise NotImplementedError

    def state(self) -> object:
        """Return what the field holds, to be compared with what it held."""
        raise NotImplementedError

    def fail(self, words: str, *, once_left: bool = False) -> None:
        """Say below the field what is wrong; an empty text takes it away. `once_left` waits until nobody types in it."""
        self._waiting = words if once_left and self.has_focus_within else ""
        if self._waiting:
            return
        self.failure = words
        self.set_class(bool(words), "-failed")
        if self.is_mounted:
            self.query_one(".field-error", Static).update(f"! {words}" if words else "")

    def changed(self) -> None:
        """Tell the form; words about what was there before are gone."""
        self.fail("")
        self.post_message(self.Changed(self))

    def on_descendant_focus(self) -> None:
        """Mark the label: a descendant of what has the focus within is not styled anew by itself."""
        self.add_class("-within")

    def on_descendant_blur(self) -> None:
        """Say what waited until nobody types."""
        self.remove_class("-within")
        if self._waiting:
            self.fail(self._waiting)

    def focus_control(self) -> None:
        """Put the focus into the field."""
        for widget in self.query("*").results(Widget):
            if widget.focusable:
                widget.focus()
                return


class TextField(FormField):
    """One line of text. `is_secret` shows dots; for suggestions see `SuggestedField`."""

    def __init__(
        self,
        field_name: str,
        label: str,
        value: str = "",
        *,
        placeholder: str = "",
        hint: str = "",
        is_required: bool = False,
        is_secret: bool = False,
    ) -> None:
        super().__init__(field_name, label, hint=hint, is_required=is_required)
        self.line = Input(value, placeholder=placeholder, password=is_secret, compact=True)

    @property
    def value(self) -> str:
        """What was typed, without blanks around it."""
        return self.line.value.strip()

    @value.setter
    def value(self, text: str) -> None:
        self.line.value = text

    def compose_control(self) -> Iterable[Widget]:
        """Yield the line."""
        yield self.line

    def state(self) -> object:
        """Return the text."""
        return self.value

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell the form."""
        event.stop()
        self.changed()
