"""A screen as it looks beneath a dialog: every colour moved towards the background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, cast

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen

# More than a screen and its dialogs have; a change of theme lets the older ones go.
_STYLES_KEPT: Final = 1_024


class Dimmed(BackgroundScreen):
    """What Textual draws as well, but quicker: a full screen has thousands of segments in some dozens of styles, each mixed only once."""

    @classmethod
    def of(cls, drawn: BackgroundScreen) -> Dimmed:
        """Return what draws the same."""
        return cls(cast("Screen[object]", drawn.screen), drawn.color)  # pyright: ignore[reportUnknownMemberType] - of any result

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterator[Segment]:
        """Yield the segments in dimmed colours; links and actions in them do nothing any more."""
        for segment in segments:
            text, style, control = segment
            yield segment if control else Segment(text, _dimmed(style, color), control)


@lru_cache(_STYLES_KEPT)
def _dimmed(style: Style | None, shade: Color) -> Style:
    if style is None:
        return Style()
    # A transparent shade changes nothing: so it is where the terminal's own colours are used, which cannot be mixed.
    shaded = Style() if shade.a == 0 else Style.from_color(_mixed(style.color, shade), _mixed(style.bgcolor, shade))
    return style.clear_meta_and_links() + shaded


def _mixed(color: RichColor | None, shade: Color) -> RichColor | None:
    return None if color is None else (Color.from_rich_color(color) + shade).rich_color
