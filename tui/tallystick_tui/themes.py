"""Five themes of our own; Textual's others stay available in the palette.

Each pairs a foreground with its background at a contrast of 4.5 or more (WCAG 2.2), and keeps success, warning and error apart in
lightness too, so that they differ without colour.
"""

from __future__ import annotations

from textual.theme import Theme

THEMES: tuple[Theme, ...] = (
    Theme(
        name="tallystick-dark",
        primary="#7aa2f7",
        secondary="#9aa5ce",
        accent="#e0af68",
        foreground="#d5daf0",
        background="#12141c",
        surface="#181b26",
        panel="#212536",
        success="#9ece6a",
        warning="#e0af68",
        error="#f7768e",
        dark=True,
        variables={"footer-key-foreground": "#e0af68", "block-cursor-text-style": "bold"},
    ),
    Theme(
        name="tallystick-light",
        primary="#2450a8",
        secondary="#51597a",
        accent="#8a5300",
        foreground="#1c2030",
        background="#fbfaf7",
        surface="#f3f1ec",
        panel="#e6e3db",
        success="#2f6b1e",
        warning="#8a5300",
        error="#a8203a",
        dark=False,
        variables={"footer-key-foreground": "#8a5300", "block-cursor-text-style": "bold"},
    ),
    Theme(
        name="tallystick-ink",
        primary="#ffffff",
        secondary="#c8c8c8",
        accent="#ffd75f",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#262626",
        success="#87ff87",
        warning="#ffd75f",
        error="#ff8787",
        dark=True,
        variables={"footer-key-foreground": "#ffd75f", "block-cursor-text-style": "bold"},
    ),
    Theme(
        name="tallystick-forest",
        primary="#8fc7a0",
        secondary="#a3b5a6",
        accent="#e6b673",
        foreground="#dde6dc",
        background="#101712",
        surface="#162019",
        panel="#1f2c23",
        success="#a6d86c",
        warning="#e6b673",
        error="#ef8a80",
        dark=True,
        variables={"footer-key-foreground": "#e6b673", "block-cursor-text-style": "bold"},
    ),
    Theme(
        name="tallystick-paper",
        primary="#7a3b12",
        secondary="#6b5b4a",
        accent="#205e6b",
        foreground="#2b2219",
        background="#f6efe2",
        surface="#efe6d5",
        panel="#e3d7c1",
        success="#35611c",
        warning="#805000",
        error="#9c2130",
        dark=False,
        variables={"footer-key-foreground": "#205e6b", "block-cursor-text-style": "bold"},
    ),
)
DEFAULT_THEME = THEMES[0].name
