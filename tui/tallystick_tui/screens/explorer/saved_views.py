"""Questions that were given a name, from one session to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from tallystick_tui.config.view_state import TEXT_LENGTH_MAX, SavedView, ViewStateFile
from tallystick_tui.widgets.time_graph import GraphKind

from .date_range import InvalidRange, zone_named
from .face import Face
from .question import Question

_SECTION: Final = "explorer"
_LAST: Final = "explorer.last"


@dataclass(frozen=True, slots=True)
class View:
    """A question, and whether it is looked at as a table or as a graph, and which."""

    question: Question
    face: Face
    kind: GraphKind


class SavedViews(Protocol):
    """Where they are kept. May read and write files: called from threads. `save` and `remove` raise `ConfigFailure`."""

    def texts(self) -> dict[str, str]:
        """Return the views as text, by name."""
        ...

    def save(self, name: str, text: str) -> None:
        """Keep a view; one of the same name gives way."""
        ...

    def remove(self, name: str) -> None:
        """Forget a view."""
        ...

    def last(self) -> str | None:
        """Return the view that was looked at last, as text."""
        ...

    def remember(self, text: str) -> None:
        """Keep what is looked at now, for the next start; one that is too long is left out."""
        ...


class KeptViews:
    """Views in the user's config folder."""

    def __init__(self, kept: ViewStateFile) -> None:
        self._kept = kept

    def texts(self) -> dict[str, str]:
        """Return the views as text, by name."""
        return {view.name: view.question for view in self._kept.read().views if view.section == _SECTION}

    def save(self, name: str, text: str) -> None:
        """Keep a view; one of the same name gives way."""
        self._kept.save_view(SavedView(name=name, section=_SECTION, question=text))

    def remove(self, name: str) -> None:
        """Forget a view."""
        self._kept.remove_view(_SECTION, name)

    def last(self) -> str | None:
        """Return the view that was looked at last, as text."""
        return self._kept.read().choices.get(_LAST)

    def remember(self, text: str) -> None:
        """Keep what is looked at now, for the next start; one that is too long is left out."""
        if len(text) <= TEXT_LENGTH_MAX:
            self._kept.remember(_LAST, text)


class ViewsInMemory:
    """Views for as long as the dashboard runs."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def texts(self) -> dict[str, str]:
        """Return the views as text, by name."""
        return dict(self._texts)

    def save(self, name: str, text: str) -> None:
        """Keep a view; one of the same name gives way."""
        self._texts[name] = text

    def remove(self, name: str) -> None:
        """Forget a view."""
        self._texts.pop(name, None)

    def last(self) -> str | None:
        """Return nothing: the next start begins anew."""
        return None

    def remember(self, text: str) -> None:
        """Keep nothing for the next start."""


def view_text(view: View) -> str:
    """Return a view as it is kept."""
    return msgspec.json.encode(view).decode()


def view_of(text: str) -> View | None:
    """Return the view that a text is; None for one of another version, or in a zone that is not known here."""
    try:
        view = msgspec.json.decode(text, type=View)
        zone_named(view.question.zone)
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidRange):
        return None
    return view
