"""How the dashboard was left: theme, saved views, and small choices, in `view-state.json` of the user's config folder.

Promises: bounded in number and size; a change is on disk, whole, before it is answered, and two dashboards that change it take turns; a
damaged file is set aside and said, and the dashboard starts as new: reading never raises.
Does not: hold keys, or anything of an appliance but the names that its user typed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from .failure import ConfigFailure
from .private_file import PrivateFile, Say

VIEWS_MAX: Final = 200
CHOICES_MAX: Final = 100
NAME_LENGTH_MAX: Final = 80
TEXT_LENGTH_MAX: Final = 4_000
FILE_BYTES_MAX: Final = 512 * 1024


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    """A view under its name: the section that shows it, and what is asked there, as the section writes it down (up to 4,000 characters)."""

    name: str
    section: str
    question: str


class ViewState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `choices` are the small things that sections remember, each under a name of its own such as `explorer.window`."""

    theme: str | None = None
    views: list[SavedView] = []
    choices: dict[str, str] = {}


class ViewStateFile:
    """Reads and changes the state, in any thread; `say` takes lines for the user about what was found and mended, and may be replaced."""

    def __init__(self, folder: Path, *, say: Say) -> None:
        self.say = say
        self._file = PrivateFile(folder / "view-state.json", say=self._tell, bytes_max=FILE_BYTES_MAX)

    def read(self) -> ViewState:
        """Return the state; an empty one where there is none, or none that can be read."""
        try:
            return self._read()
        except ConfigFailure as failure:
            self.say(f"{failure}; the views start as new")
            return ViewState()

    def choose_theme(self, theme: str) -> ViewState:
        """Remember a theme. Raises `ConfigFailure`."""
        return self.change(lambda state: msgspec.structs.replace(state, theme=theme))

    def remember(self, name: str, value: str) -> ViewState:
        """Remember a small choice under its name. Raises `ConfigFailure`."""
        return self.change(lambda state: msgspec.structs.replace(state, choices=state.choices | {name: value}))

    def save_view(self, view: SavedView) -> ViewState:
        """Save a view; one of the same section and name gives way. Raises `ConfigFailure`."""
        return self.change(
            lambda state: msgspec.structs.replace(state, views=[*_others(state, view.section, view.name), view])
        )

    def remove_view(self, section: str, name: str) -> ViewState:
        """Remove a view; one that is not there is no mistake. Raises `ConfigFailure`."""
        return self.change(lambda state: msgspec.structs.replace(state, views=_others(state, section, name)))

    def change(self, how: Callable[[ViewState], ViewState]) -> ViewState:
        """Replace the state by what `how` makes of it, and return that. Raises `ConfigFailure`; the state is then as it was."""
        with self._file.turn():
            before = self._read()
            after = how(before)
            if after != before:
                _check(after)
                self._file.write(msgspec.json.format(msgspec.json.encode(after), indent=2) + b"\n")
        return after

    def _tell(self, line: str) -> None:
        self.say(line)

    def _read(self) -> ViewState:
        body = self._file.read()
        if body is None:
            return ViewState()
        try:
            state = msgspec.json.decode(body, type=ViewState)
            _check(state)
        except (msgspec.MsgspecError, UnicodeDecodeError, ConfigFailure) as error:
            self._file.set_aside(f"is damaged ({error})")
            return ViewState()
        return state


def _others(state: ViewState, section: str, name: str) -> list[SavedView]:
    return [view for view in state.views if (view.section, view.name) != (section, name)]


def _check(state: ViewState) -> None:
    if len(state.views) > VIEWS_MAX:
        raise ConfigFailure(f"{VIEWS_MAX} views are saved already; remove one first")
    if len(state.choices) > CHOICES_MAX:
        raise ConfigFailure(f"more than {CHOICES_MAX} choices are remembered")
    names = [
        state.theme or "-",
        *state.choices,
        *(view.name for view in state.views),
        *(view.section for view in state.views),
    ]
    for name in names:
        if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
            raise ConfigFailure(
                f"{name[:NAME_LENGTH_MAX]!a} is no name: 1 to {NAME_LENGTH_MAX} characters that can be seen"
            )
    for text in [*state.choices.values(), *(view.question for view in state.views)]:
        if len(text) > TEXT_LENGTH_MAX:
            raise ConfigFailure(f"what is to be remembered is longer than {TEXT_LENGTH_MAX:,} characters")
