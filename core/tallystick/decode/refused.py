"""How the exact path says that one event is refused; caught within the package, where it becomes a `Rejected` value."""

from __future__ import annotations

from tallystick.rejection import Code


class Refused(Exception):  # an outcome on its way to becoming a value, never an error that a caller sees
    """One event breaks a rule. `event_id` is the id it carried, where that could be read.

    `is_unreadable` says that it is not even written in its format: a body of nothing else is no body of that format.
    """

    def __init__(self, code: Code, detail: str, *, is_unreadable: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.is_unreadable = code, detail, is_unreadable
        self.event_id: str | None = None


def shown(text: str) -> str:
    """Return the text as a message may carry it: quoted, escaped to ASCII, cut."""
    return ascii(text if len(text) <= 40 else text[:40] + "…")  # noqa: PLR2004 - enough to recognise it


def cut(name: str) -> str:
    """Return a name as a path in a message may carry it: escaped to ASCII, cut, without quotation marks."""
    return shown(name)[1:-1]
