"""Questions that were given a name, from one session to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from .question import Question


@dataclass(frozen=True, slots=True)
class View:
    """A question, and whether it is looked at as a table or as a graph, and which."""

    question: Question
    face: str
    kind: str


class SavedViews(Protocol):
    """Where they are kept. `save` and `remove` may raise `ApplianceFailure`'s neighbours: their words are shown."""

    def texts(self) -> dict[str, str]:
        """Return the views as text, by name."""
        ...

    def save(self, name: str, text: str) -> None:
        """Keep a view; one of the same name gives way."""
        ...

    def remove(self, name: str) -> None:
        """Forget a view."""
        ...


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


def view_text(view: View) -> str:
    """Return a view as it is kept."""
    return msgspec.json.encode(view).decode()


def view_of(text: str) -> View | None:
    """Return the view that a text is; None for one of another version."""
    try:
        return msgspec.json.decode(text, type=View)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
