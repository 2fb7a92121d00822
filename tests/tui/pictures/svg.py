"""Pictures as they are kept: nothing is fetched when one is looked at, and the same screen gives the same bytes."""

from __future__ import annotations

import re
from typing import Final

# Textual names a font on a server of somebody else; whoever reads the documentation need not be known there.
_FONT_FACE: Final = re.compile(r"\s*@font-face\s*\{[^}]*\}")
_FAMILY: Final = re.compile(r"font-family:\s*Fira Code,\s*monospace")
_FAMILIES: Final = 'font-family: "Fira Code", ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace'


def kept(svg: str) -> str:
    """Return the picture with the fonts of whoever looks at it."""
    own = _FAMILY.sub(_FAMILIES, _FONT_FACE.sub("", svg))
    return "\n".join(line.rstrip() for line in own.splitlines() if line.strip()) + "\n"
