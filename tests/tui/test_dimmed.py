"""What lies beneath a dialog looks as Textual itself would draw it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.strip import Strip

from tallystick_tui.dialogs.dimmed import dimmed

BYTES = st.integers(0, 255)
COLORS = st.builds("#{:02x}{:02x}{:02x}".format, BYTES, BYTES, BYTES)
STYLES = st.builds(
    Style,
    color=st.none() | COLORS,
    bgcolor=st.none() | COLORS,
    bold=st.sampled_from([None, True, False]),
    dim=st.sampled_from([None, True]),
    reverse=st.sampled_from([None, True]),
    link=st.sampled_from([None, "https://example.com"]),
    meta=st.sampled_from([None, {"@click": "quit"}]),
)
SEGMENTS = st.lists(st.builds(Segment, st.text("ab 界", max_size=3), st.none() | STYLES, st.none()), max_size=8)
SHADES = st.builds(Color, BYTES, BYTES, BYTES, st.sampled_from([0, 0.1, 0.6, 1]))


@given(SEGMENTS, SHADES)
def test_every_segment_is_as_textual_dims_it(segments: list[Segment], shade: Color) -> None:
    line = dimmed(Strip(segments), shade)
    assert list(line) == list(BackgroundScreen.process_segments(segments, shade))
    assert line.cell_length == Strip(segments).cell_length
    styles = [segment.style for segment in line]
    assert all(style is not None and not style.meta and style.link is None for style in styles)
