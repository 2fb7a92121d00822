"""The page about the dashboard names every key that does something in it, and shows pictures that `make screenshots` takes."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tallystick_tui
from tallystick_tui.navigation import Section
from tests.tui.pictures.scenes import SCENES
from tests.tui.pictures.svg import kept
from tests.tui.pictures.taken import FOLDER

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = ROOT / "docs" / "dashboard.md"
PICTURE: Final = re.compile(r"!\[[^\]]+\]\((?:docs/)?pictures/([\w-]+)\.svg\)")
BYTES_MAX: Final = 150_000
# How the page writes keys that have a longer name.
WRITTEN: Final = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "left": "←",
    "right": "→",
}
# What is known without a page: moving about in a list, and another key for the same.
KNOWN: Final = frozenset({"up", "down", "pageup", "pagedown", "delete", "f,s,c,d", "1-9"})
# What is said once, for all screens.
GENERAL: Final = frozenset({"enter", "escape", "question_mark", "f1", "ctrl+s", "q"})


def bindings() -> Iterator[tuple[str, Binding]]:
    """Yield every binding that is written in the dashboard's own code, with the section it belongs to; the app's and dialogs' with none."""
    for found in pkgutil.walk_packages(tallystick_tui.__path__, "tallystick_tui."):
        module = importlib.import_module(found.name)
        folder = found.name.removeprefix("tallystick_tui.screens.").split(".")[0]
        section = folder if folder in sections() else ""
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.__name__:
                for binding in value.__dict__.get("BINDINGS", ()):
                    assert isinstance(binding, Binding)
                    yield section, binding


def sections() -> dict[str, str]:
    """Return the page's sections by the name of the folder that holds their code; what comes before them as ''."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    named = {part.split(" (")[0].lower(): part for part in parts if re.match(r"\w+ \(\d\)\n", part)}
    return {"": parts[0] + parts[1], **named}


def is_named(key: str, text: str) -> bool:
    """Whether a text has the key between backquotes: `^s`, `F1`, `x`."""
    written = key.replace("ctrl+", "^") if key.startswith("ctrl+") else WRITTEN.get(key, key)
    if key.isdigit():
        return "`1` to `9`" in text
    return f"`{written}`" in text or (len(written) > 1 and f"`{written.upper()}`" in text)


def is_told(section: str, binding: Binding) -> bool:
    """Whether one of the binding's keys is named in its section, or, if it is the same everywhere, above all sections."""
    texts = sections()
    keys = [key for key in binding.key.split(",") if key not in KNOWN]
    return any(is_named(key, texts.get(section, "")) or (key in GENERAL and is_named(key, texts[""])) for key in keys)


def test_each_section_of_the_dashboard_has_one_of_the_page_in_the_order_of_the_keys() -> None:
    titles = re.findall(r"^## (\w+ \(\d\))$", PAGE.read_text(), re.MULTILINE)
    assert titles == [f"{section.value} ({section.key})" for section in Section]


def test_every_key_that_does_something_is_named_where_its_screen_is_described() -> None:
    missing = [
        f"{section or 'everywhere'}: {binding.key} ({binding.description})"
        for section, binding in bindings()
        if binding.key not in KNOWN and not is_told(section, binding)
    ]
    assert missing == []


def test_the_search_for_keys_finds_them() -> None:
    found = [(section, binding.key) for section, binding in bindings()]
    assert ("explorer", "backspace") in found
    assert ("", "q") in found
    assert ("ledger", "Y") in found
    assert len(found) > 80


def test_every_picture_that_is_shown_is_taken_and_every_one_that_is_taken_is_shown() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {name for page in pages for name in PICTURE.findall(page.read_text())}
    taken = {scene.name for scene in SCENES}
    assert shown == taken
    assert {file.stem for file in FOLDER.glob("*.svg")} == taken


@pytest.mark.parametrize("name", [scene.name for scene in SCENES])
def test_a_picture_is_small_and_fetches_nothing(name: str) -> None:
    picture = (FOLDER / f"{name}.svg").read_text()
    assert len(picture.encode()) < BYTES_MAX
    assert "@font-face" not in picture
    assert "url(http" not in picture
    assert "<image" not in picture
    assert kept(picture) == picture
