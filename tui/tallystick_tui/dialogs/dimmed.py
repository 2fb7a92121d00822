"""A screen as it looks beneath a dialog: every colour moved towards the background.

Textual draws the same (`BackgroundScreen`) by way of Rich, segment by segment; here lines are taken as they are, and what looks alike is
mixed once: a full screen has a thousand segments, and of these some dozens of looks. `make bench-dashboard` times the dialog over it.
"""

from __future__ import annotations

from typing import Any, Final

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.css.styles import RulesMap
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.visual import RenderOptions, Visual

# Ten times what a screen and its dialogs have; a change of theme lets the older ones go.
_LOOKS_KEPT: Final = 1_024
_PLAIN: Final = Style()
_Look = tuple[RichColor | None, RichColor | None, int, int, Color]
_SHADED: Final[dict[_Look, Style]] = {}


class Dimmed(Visual):
    """What lies below, with a shade over it; links and actions in it do nothing any more."""

    def __init__(self, below: Screen[Any], shade: Color) -> None:  # Any: whatever the screen answers
        self._below, self._shade = below, shade

    def render_strips(
        self,
        width: int,
        height: int | None,
        style: VisualStyle,  # noqa: ARG002 - a dialog's own style is of nothing that is seen below it
        options: RenderOptions,  # noqa: ARG002
    ) -> list[Strip]:
        """Return the lines of the screen below."""
        size = self._below.size if height is None else Size(width, height)
        # As Textual's own does; nothing public hands over what a screen looks like.
        lines = self._below._compositor.render_strips(size)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        return [dimmed(line, self._shade) for line in lines]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002 - it takes what there is
        """Return all there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002
        """Return as many lines as the screen below has."""
        return self._below.size.height


def dimmed(line: Strip, shade: Color) -> Strip:
    """Return the line with the shade over its colours."""
    segments: list[Segment] = []
    for text, own_style, control in line:
        style = own_style or _PLAIN
        # What is told apart by links and by what cells do would be as many looks as cells.
        is_set = style._set_attributes  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001 - nothing public has all of it in one number
        key = (style.color, style.bgcolor, is_set, style._attributes, shade)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        shaded = _SHADED.get(key)
        if shaded is None:
            if len(_SHADED) >= _LOOKS_KEPT:
                _SHADED.clear()
            shaded = _SHADED[key] = _shaded(style, shade)
        segments.append(Segment(text, shaded, control))
    return Strip(segments, line.cell_length)


def _shaded(style: Style, shade: Color) -> Style:
    # A transparent shade changes nothing: so it is where the terminal's own colours are used, which cannot be mixed.
    shaded = _PLAIN if shade.a == 0 else Style.from_color(_mixed(style.color, shade), _mixed(style.bgcolor, shade))
    return style.clear_meta_and_links() + shaded


def _mixed(color: RichColor | None, shade: Color) -> RichColor | None:
    return None if color is None else (Color.from_rich_color(color) + shade).rich_color
