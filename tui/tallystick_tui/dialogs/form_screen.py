"""A form over the whole screen: fields, what the appliance makes of them beside or below, and a way out that loses nothing by mistake.

Promises: a refusal is put at the field it is about, in the appliance's words; a lost connection leaves everything as it was typed, and
saving can be tried again; a form that was changed is left, or the dashboard ended, only after a question. Subclasses give
`compose_fields`, `save`, and where they like `compose_aside`. `T` is what the form answers; None means that it was left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.failure import ApplianceFailure, Refused
from tallystick_tui.ready_screen import ReadyScreen
from tallystick_tui.widgets.connection_banner import ConnectionBanner
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.form_field import FormField
from tallystick_tui.widgets.key_hints import KeyHints

from .confirmation import Confirmation
from .keys_screen import KeysScreen

T = TypeVar("T")
# What a form does before its fields are there.
_BEFORE_FIELDS: Final = frozenset({"leave", "keys"})


class FormScreen(ModalScreen[T | None], ReadyScreen[T | None]):
    """The form. `ctrl+s` saves, `escape` leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, key_display="^s"),
        Binding("escape", "leave", "Leave"),
        Binding("f1", "keys", "All keys", key_display="F1"),
    ]
    # What did not happen where the appliance could not be reached.
    NOT_DONE: ClassVar[str] = "not saved"
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    FormScreen { background: $background; }
    FormScreen #form-title { height: 1; background: $panel; text-style: bold; padding: 0 1; }
    FormScreen #form-body { height: 1fr; layout: vertical; }
    FormScreen.-wide #form-body { layout: horizontal; }
    FormScreen #form-fields { height: 1fr; padding: 0 1; background: $background; }
    FormScreen #form-fields:focus { background: $background; }
    FormScreen.-wide #form-fields { width: 1fr; padding: 1 2; }
    FormScreen.-wide #form-fields FormField { margin-bottom: 1; }
    FormScreen #form-aside { height: 10; border-top: solid $panel; }
    FormScreen.-wide #form-aside { width: 1fr; height: 1fr; border-top: none; border-left: solid $panel; }
    FormScreen #form-hint { height: 1; padding: 0 1; color: $secondary; background: $surface; text-overflow: ellipsis; text-wrap: nowrap; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._begun_with: dict[str, object] | None = None
        self._is_saving = False
        self._is_laid_out = self._is_left = False

    @property
    def is_changed(self) -> bool:
        """Whether leaving would lose something."""
        return self._begun_with is not None and self._states() != self._begun_with

    def compose(self) -> ComposeResult:
        """Lay out title, the place for fields, the focused field's hint and the keys."""
        yield Static(self._title, id="form-title", markup=False)
        yield ConnectionBanner()
        yield FailureLine()
        with Container(id="form-body"):
            yield VerticalScroll(id="form-fields", can_focus=False)
        yield Static("", id="form-hint", markup=False)
        yield KeyHints()

    def compose_fields(self) -> Iterable[Widget]:
        """Yield the fields, and whatever stands between them."""
        raise NotImplementedError

    def compose_aside(self) -> Iterable[Widget]:
        """Yield what stands beside the fields; nothing by default."""
        return ()

    async def save(self) -> T:
        """Send what was typed, and return the form's answer. Raises `ApplianceFailure`."""
        raise NotImplementedError

    async def begin(self) -> None:
        """Fit the form to what it is about, once its fields are there, before it counts as what it begins with; nothing by default."""

    def started(self) -> None:
        """Do what belongs to a form in which somebody types; nothing by default."""

    def look_again(self) -> None:
        """Ask again what could not be asked while the connection was lost; nothing by default."""

    def on_mount(self) -> None:
        """Show the frame: a key is answered by it, while some dozens of parts take a tenth of a second."""
        self.call_after_refresh(self._lay_out)

    @work(group="lay-out")
    async def _lay_out(self) -> None:
        # A worker, so that the frame's own keys are answered meanwhile; it ends when the section is gone.
        await self.query_one("#form-fields").mount_all(self.compose_fields())
        aside = list(self.compose_aside())
        if aside:
            await self.query_one("#form-body").mount(Container(*aside, id="form-aside"))
        await self.begin()
        if self._is_left:
            self.dismiss(None)
            return
        self._is_laid_out = True
        self._begin_typing()
        self.started()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as Textual calls it
        """Let keys wait until there are fields, but for leaving, and the list of keys."""
        return True if self._is_laid_out or action in _BEFORE_FIELDS else None

    def field(self, name: str) -> FormField | None:
        """Return the field of a name, if it is shown."""
        return next((field for field in self.query(FormField) if field.field_name == name and field.display), None)

    def say(self, words: str) -> None:
        """Put a line above the fields; an empty text takes it away."""
        self.query_one(FailureLine).say(words)

    def show_connection(self, lost_words: str) -> None:
        """Show or hide the banner of a lost connection."""
        banner = self.query_one(ConnectionBanner)
        is_back, banner.words = bool(banner.words) and not lost_words, lost_words
        if is_back and self._is_laid_out:
            # What could not be done meanwhile is no news any more.
            self.say("")
            self.look_again()

    def put_refusal(self, refusal: Refused) -> None:
        """Put the appliance's words at the fields they are about, and what is about none of them above."""
        rest: list[str] = []
        first: FormField | None = None
        for pointer, words in refusal.fields.items():
            field = self._field_at(pointer)
            if field is None:
                rest.append(f"{pointer}: {words}" if pointer else words)
            else:
                field.fail(words)
                first = first or field
        self.say("; ".join(rest) if refusal.fields else str(refusal))
        if first is not None:
            first.focus_control()

    def action_save(self) -> None:
        """Save, unless what is needed is missing."""
        missing = [each for each in self.query(FormField) if each.is_required and each.display and not each.state()]
        for field in missing:
            field.fail("is needed")
        if missing:
            missing[0].focus_control()
        elif not self._is_saving:
            self._keep()

    def action_leave(self) -> None:
        """Leave; after a question, if something would be lost."""
        if not self._is_laid_out:
            # Parts that are being mounted look for one another: they go once all are there.
            self._is_left = True
        elif self._is_saving:
            return  # the answer on its way decides
        elif self.is_changed:
            self._leave_if_meant()
        else:
            self.dismiss(None)

    def action_keys(self) -> None:
        """List every key that does something here."""
        app_of(self).push_screen(KeysScreen(self))

    @work(exclusive=True, group="leave")
    async def _leave_if_meant(self) -> None:
        question = Confirmation("Leave the form?", "What you changed here is not saved.", does="Leave")
        if await app_of(self).push_screen_wait(question):
            self.dismiss(None)

    @work(group="save")
    async def _keep(self) -> None:
        self._is_saving = True
        self.say("")
        try:
            answer = await self.save()
        except Refused as refusal:
            self.put_refusal(refusal)
        except ApplianceFailure as failure:
            self.say(f"{self.NOT_DONE}: {failure} · nothing you typed is lost; ^s tries again")
        else:
            self.dismiss(answer)
        finally:
            self._is_saving = False

    @on(events.DescendantFocus)
    def show_hint(self, event: events.DescendantFocus) -> None:
        """Say what the focused field is for."""
        field = next((each for each in event.widget.ancestors if isinstance(each, FormField)), None)
        self.query_one("#form-hint", Static).update("" if field is None else field.hint)

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Enter in a line goes to the next field."""
        event.stop()
        self.focus_next()

    def take_as_begin(self, field: FormField) -> None:
        """Take what stands in a field now as what was before the person changed anything."""
        if self._begun_with is not None:
            self._begun_with[field.field_name] = field.state()

    def _begin_typing(self) -> None:
        self._begun_with = self._states()
        first = next((field for field in self.query(FormField) if field.display), None)
        if first is not None:
            first.focus_control()

    def _states(self) -> dict[str, object]:
        return {field.field_name: field.state() for field in self.query(FormField) if field.display}

    def _field_at(self, pointer: str) -> FormField | None:
        """Return the field that a pointer names, or whose part it names: `meter.options.p`, `metadata[...]`, `filter`."""
        path = pointer.replace("[", ".").replace("]", "").split(".")
        for start in range(len(path)):
            for end in range(len(path), start, -1):
                field = self.field(".".join(path[start:end]))
                if field is not None:
                    return field
        return None
