"""Names are chosen by strangers: nothing in one may act in a terminal, or hide."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_server.cli.printable import printable, printable_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("acme", "acme"),
        ("Ångström & Söhne, 東京", "Ångström & Söhne, 東京"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b31m", r"\x9b31m"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("a\tb\nc\rd", r"a\x09b\x0ac\x0dd"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_a_terminal_could_act_upon_is_shown_as_its_code(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(alphabet=st.characters()))
def test_no_control_direction_or_invisible_mark_passes(text: str) -> None:
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in printable(text))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_without_raw_marks_says_the_same(text: str) -> None:
    document = json.dumps({"name": text}, ensure_ascii=False)
    harmless = printable_json(document)
    assert json.loads(harmless) == {"name": text}
    assert all(unicodedata.category(char) not in {"Cc", "Cf"} for char in harmless)
