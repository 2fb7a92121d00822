r"""Text from elsewhere, as a terminal may show it: names are chosen by strangers.

Promises: no control character, escape, invisible mark or mark that turns the direction of writing passes: each is shown as its code
(`\x1b`, `\u202e`). `cut` says by an ellipsis that there was more.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from rich.cells import cell_len, set_cell_size

# Cc: controls, ESC among them; Cf: direction and invisible marks; Cs: lone surrogates; Co, Cn: no agreed look; Zl, Zp: line ends.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def harmless(text: str) -> str:
    """Return the text with everything that a terminal could act upon, or a person not see, shown as its code."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_code(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def cut(text: str, cells: int) -> str:
    """Return the text made harmless, in at most so many cells."""
    shown = harmless(text[: cells * 4])
    return (
        shown if cell_len(shown) <= cells and len(text) <= cells * 4 else f"{set_cell_size(shown, cells - 1).rstrip()}…"
    )


def _code(char: str) -> str:
    point = ord(char)
    if point <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - the basic plane
