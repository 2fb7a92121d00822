"""One of several, found by typing: meters, dimensions, values, zones.

What is offered may come later (`load` asks the appliance while the dialog is open); what failed is said in it. With `takes_typed` a text
that is not offered can be taken as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.texts.harmless import cut, harmless

from .dialog import Dialog

SHOWN_MAX: Final = 200
_WORDS_MAX: Final = 48


@dataclass(frozen=True, slots=True)
class Offer:
    """A value, the words for it (none: the value itself), and a note beside them."""

    value: str
    words: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """What people read."""
        return cut(self.words or self.value, _WORDS_MAX)


class Choice(Dialog[str | None]):
    """The value that was chosen, or None if the person left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave"),
        Binding("down", "move('down')", "Next", show=False),
        Binding("up", "move('up')", "Previous", show=False),
        Binding("pagedown", "move('page_down')", "Next page", show=False),
        Binding("pageup", "move('page_up')", "Previous page", show=False),
    ]
    DEFAULT_CSS = """
    Choice > .dialog-box { max-height: 90%; }
    Choice Input { background: $panel; padding: 0 1; margin-bottom: 1; }
    Choice OptionList { height: auto; max-height: 16; border: none; padding: 0; background: $surface; }
    Choice #choice-words { color: $secondary; height: auto; }
    """

    def __init__(
        self,
        title: str,
        offers: Sequence[Offer] = (),
        *,
        load: Callable[[], Awaitable[Sequence[Offer]]] | None = None,
        chosen: str | None = None,
        takes_typed: str = "",
        empty: str = "nothing to choose from",
    ) -> None:
        super().__init__()
        self._title, self._offers, self._load = title, list(offers), load
        self._chosen, self._takes_typed, self._empty = chosen, takes_typed, empty
        self._matching: list[Offer] = []

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What is offered by now."""
        return tuple(self._offers)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more comes, and the dialog takes what is typed."""
        return self._load is None and self.is_mounted and self.focused is not None

    def compose(self) -> ComposeResult:
        """Lay out a line to type in, and what matches."""
        with self.box(self._title, "enter takes it, esc leaves"):
            also = f", or {self._takes_typed}" if self._takes_typed else ""
            yield Input(placeholder=f"type to find{also}", compact=True)
            offers = OptionList(markup=False)
            offers.can_focus = False
            yield offers
            yield Static(markup=False, id="choice-words")

    def on_mount(self) -> None:
        """Show what there is, and ask for the rest."""
        self._show("")
        if self._load is not None:
            self._fill(self._load)

    @work(exclusive=True, group="choice")
    async def _fill(self, load: Callable[[], Awaitable[Sequence[Offer]]]) -> None:
        words = self.query_one("#choice-words", Static)
        words.update("looking …")
        try:
            loaded = {offer.value: offer for offer in await load()}
        except ApplianceFailure as failure:
            words.update(f"! {failure}")
            return
        # What was offered before stays where it is; what is known of it by now is said.
        before = [loaded.pop(offer.value, offer) for offer in self._offers]
        self._offers, self._load = [*before, *loaded.values()], None
        self._show(self.query_one(Input).value)

    @on(Input.Changed)
    def find(self, event: Input.Changed) -> None:
        """Show what matches."""
        self._show(event.value)

    def action_move(self, how: str) -> None:
        """Move in the list."""
        offers = self.query_one(OptionList)
        {
            "down": offers.action_cursor_down,
            "up": offers.action_cursor_up,
            "page_down": offers.action_page_down,
            "page_up": offers.action_page_up,
        }[how]()

    @on(Input.Submitted)
    def take(self) -> None:
        """Answer with what is marked."""
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self._matching):
            self.dismiss(self._matching[place].value)

    @on(OptionList.OptionSelected)
    def take_clicked(self, event: OptionList.OptionSelected) -> None:
        """Answer with what was clicked."""
        self.dismiss(self._matching[event.option_index].value)

    def _show(self, typed: str) -> None:
        found = matching(self._offers, typed)
        text = typed.strip()
        if self._takes_typed and text and all(offer.value != text for offer in found):
            found = [*found, Offer(text, f"{text}", f"as typed: {self._takes_typed}")]
        self._matching = found[:SHOWN_MAX]
        shown = self.query_one(OptionList)
        shown.clear_options()
        width = max((len(offer.shown) for offer in self._matching), default=0)
        shown.add_options([Option(_line(offer, width)) for offer in self._matching])
        places = [place for place, offer in enumerate(self._matching) if offer.value == self._chosen]
        shown.highlighted = (places[0] if places and not text else 0) if self._matching else None
        words = f"{len(found) - SHOWN_MAX} more: type to find them" if len(found) > SHOWN_MAX else ""
        if not found:
            words = "looking …" if self._load is not None else "nothing matches" if text else self._empty
        self.query_one("#choice-words", Static).update(words)


def matching(offers: Sequence[Offer], typed: str) -> list[Offer]:
    """Return the offers that hold the text, those that begin with it first."""
    text = typed.strip().casefold()
    if not text:
        return list(offers)
    found = [offer for offer in offers if text in f"{offer.value}\n{offer.words}".casefold()]
    return sorted(found, key=lambda offer: not offer.shown.casefold().startswith(text))


def _line(offer: Offer, width: int) -> Text:
    line = Text(offer.shown.ljust(width), no_wrap=True, overflow="ellipsis")
    if offer.note:
        line.append(f"  {harmless(offer.note)}", style="dim")
    return line
