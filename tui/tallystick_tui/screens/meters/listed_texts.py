"""Texts separated by commas, as people type lists; a text with a comma or a blank at its edge stands in quotes, as in CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence


def listed(texts: Sequence[str]) -> str:
    """Return the texts as one line."""
    return ", ".join(_quoted(text) for text in texts)


def unlisted(line: str) -> list[str]:
    """Return the texts of a line; empty ones are left out."""
    if not line.strip():
        return []
    return [text.strip() for text in next(csv.reader([line], skipinitialspace=True)) if text.strip()]


def _quoted(text: str) -> str:
    is_plain = text == text.strip() and "," not in text and '"' not in text
    return text if is_plain else '"' + text.replace('"', '""') + '"'
