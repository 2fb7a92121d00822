"""What was sent, before any rule was applied: one vocabulary for every format, exact where ordinary decoding is not.

Numbers stay text, so that no digit is lost; objects remember a key that came twice; text that is not valid Unicode keeps lone
surrogates in place of what could not be read, so that the rules can say where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

# An event needs two levels. More are read so that CloudEvents can nest their data, and so that a nested property is told apart
# from a body made to exhaust the stack.
DEPTH_MAX: Final = 32
# Far more than any valid event has, and few enough that reading them all, only to refuse them, costs little memory.
VALUES_MAX: Final = 10_000


class NumberText(str):
    """A number, as JSON would write it."""

    __slots__ = ()


class NotANumber(str):
    """NaN or an infinity, by name, in a format that has them; no field takes one."""

    __slots__ = ()


class ForbiddenToken(NotANumber):
    """`NaN`, `Infinity` or `-Infinity` in what should be JSON, which has no such thing."""

    __slots__ = ()


class Unsupported(str):
    """A value of a kind that no field takes, by the kind's name: MessagePack's binary and extension types."""

    __slots__ = ()


class TimestampNs(int):
    """MessagePack's timestamp, in nanoseconds since the epoch."""


class Members(dict[str, "Tree"]):
    """The members of an object; `duplicate` is the first key that came twice."""

    __slots__ = ("duplicate",)

    def __init__(self, pairs: list[tuple[str, Tree]]) -> None:
        super().__init__(pairs)
        self.duplicate: str | None = None
        if len(self) != len(pairs):
            seen: set[str] = set()
            self.duplicate = next(name for name, _ in pairs if name in seen or seen.add(name))


Tree: TypeAlias = "str | bool | int | list[Tree] | Members | None"


_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    TimestampNs: "a timestamp",
    NumberText: "a number",
    str: "text",
    list: "an array",
    Members: "an object",
}


def kind_of(value: Tree) -> str:
    """Return the name that a message gives to this kind of value."""
    return str(value) if isinstance(value, Unsupported | NotANumber) else _KINDS[type(value)]


def leaves(value: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    """Yield every name and every value that holds no others, each with where it stands; nesting is at most `DEPTH_MAX`."""
    if isinstance(value, Members):
        for name, member in value.items():
            member_path = f"{path}.{name}" if path else name
            yield f"the name {name[:40]!a}", name
            yield from leaves(member, member_path)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, f"{path}[]")
    else:
        yield path, value
