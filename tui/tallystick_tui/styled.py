"""Pieces of a line that come without a style: Textual's filter for terminals without colour cannot do with them."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_PLAIN: Final = Style()


class Styled(LineFilter):
    """Gives each piece a style, an empty one if it has none: the plot library leaves it out where nothing is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - as Textual calls it
        """Return the segments, each with a style."""
        return [Segment(text, style or _PLAIN, control) for text, style, control in segments]
