"""The page about rejections names every code once, in fixed headings, with an example that is refused for that reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallystick.rejection import Code
from tests.core.decode.decoding import refusal

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rejections.md").read_text()
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
# What an event alone cannot show: it takes an earlier event, another format, or too many properties to print.
NOT_SHOWN = {Code.CONFLICT, Code.INVALID_MSGPACK, Code.TOO_DEEP, Code.TOO_MANY_PROPERTIES}


def test_the_page_explains_every_code_and_no_other() -> None:
    assert list(SECTIONS) == sorted(Code)


@pytest.mark.parametrize("code", Code)
def test_a_code_is_explained_under_fixed_headings(code: Code) -> None:
    headings = re.findall(r"^\*\*([^*]+)\*\*", SECTIONS[code], re.MULTILINE)
    assert [heading.rstrip(".") for heading in headings] == ["What it is", "Why it is bad", "Example", "Use instead"]


@pytest.mark.parametrize("code", sorted(set(Code) - NOT_SHOWN))
def test_the_example_is_refused_with_its_code(code: Code) -> None:
    example = re.search(r"```json\n(.*?)\n```", SECTIONS[code], re.DOTALL)
    assert example is not None
    assert refusal(example[1]) == code
