r"""Text from elsewhere, made harmless to a terminal: names are chosen by strangers, and an escape sequence in one must not act here.

Promises: no control character, no escape, no mark that turns the direction of writing and no invisible mark passes; each is shown as its
code (`\x1b`, `\u202e`). Letters, signs and spaces of every script pass unchanged.
"""

from __future__ import annotations

import unicodedata

# Cc: controls, ESC among them; Cf: direction and invisible marks; Cs: lone surrogates; Co, Cn: no agreed look; Zl, Zp: line ends.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """Return the text with everything a terminal could act upon, or a person not see, shown as its code."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_code(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def printable_json(document: str) -> str:
    """Return a JSON document that says the same without a raw control or direction mark.

    JSON already escapes C0 controls inside strings; the others can stand only inside strings, so they are replaced by JSON's own escapes.
    """
    if document.isascii():
        return document.replace("\x7f", "\\u007f")
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in _HIDDEN else _json_code(char) for char in document
    )


def _code(char: str) -> str:
    point = ord(char)
    if point <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - the basic plane


def _json_code(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
