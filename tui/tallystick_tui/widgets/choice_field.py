"""Fields whose answer is one of few: a list that opens, or yes and no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Checkbox, Select

from .check_box import CheckBox
from .form_field import FormField

Choice = tuple[str, str]


class ChoiceField(FormField):
    """One of several; a choice is a value and what people read. Enter opens the list, typing finds in it."""

    DEFAULT_CSS = """
    ChoiceField Select.-textual-compact { width: 1fr; }
    ChoiceField Select.-textual-compact > SelectCurrent { background: $panel; padding: 0 1; }
    ChoiceField Select.-textual-compact:focus > SelectCurrent { background: $primary 25%; background-tint: $foreground 0%; }
    ChoiceField SelectOverlay { border: round $primary; max-height: 10; }
    """

    def __init__(
        self,
        field_name: str,
        label: str,
        choices: Sequence[Choice],
        value: str | None = None,
        *,
        hint: str = "",
        is_required: bool = False,
        prompt: str = "choose",
    ) -> None:
        super().__init__(field_name, label, hint=hint, is_required=is_required)
        self._choices = list(choices)
        self._select: Select[str] = Select(
            _options(self._choices),
            prompt=prompt,
            allow_blank=not (is_required and self._choices),
            compact=True,
            value=value if value in dict(self._choices) else self._first(is_required=is_required),
        )

    @property
    def value(self) -> str | None:
        """The chosen value; None where nothing is chosen."""
        return self._select.value if isinstance(self._select.value, str) else None

    @value.setter
    def value(self, value: str | None) -> None:
        self._select.value = Select.NULL if value is None else value

    def offer(self, choices: Sequence[Choice], value: str | None = None) -> None:
        """Offer other choices; `value` (else the present one, if it is still among them) is chosen."""
        kept = value or self.value
        self._choices = list(choices)
        self._select.set_options(_options(self._choices))
        if kept in dict(self._choices):
            self.value = kept

    def compose_control(self) -> Iterable[Widget]:
        """Yield the list."""
        yield self._select

    def state(self) -> object:
        """Return the value."""
        return self.value

    def on_select_changed(self, event: Select.Changed) -> None:
        """Tell the form."""
        event.stop()
        self.changed()

    def _first(self, *, is_required: bool) -> str:
        blank: str = Select.NULL  # pyright: ignore[reportAssignmentType] - Textual's own mark of no selection
        return self._choices[0][0] if is_required and self._choices else blank


class SwitchField(FormField):
    """Yes or no, by space or a click."""

    def __init__(self, field_name: str, label: str, words: str = "", *, value: bool = False, hint: str = "") -> None:
        super().__init__(field_name, label, hint=hint)
        self._box = CheckBox(Text(words), value=value, compact=True)

    @property
    def value(self) -> bool:
        """Whether it is on."""
        return self._box.value

    @value.setter
    def value(self, is_on: bool) -> None:
        self._box.value = is_on

    def compose_control(self) -> Iterable[Widget]:
        """Yield the box."""
        yield self._box

    def state(self) -> object:
        """Return whether it is on."""
        return self.value

    def on_checkbox_changed(self, event: Checkbox.Changed) -> None:
        """Tell the form."""
        event.stop()
        self.changed()


def _options(choices: Sequence[Choice]) -> list[tuple[Text, str]]:
    return [(Text(words, no_wrap=True, overflow="ellipsis"), value) for value, words in choices]
