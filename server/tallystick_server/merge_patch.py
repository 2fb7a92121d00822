"""JSON merge patch (RFC 7396) over the fields of our values: what is absent stays, null clears, objects merge name by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import UnsetType

T = TypeVar("T")
V = TypeVar("V")


def kept_or(value: T | UnsetType, current: T) -> T:
    """Return the patch's value, or the current one where the patch has none."""
    return current if isinstance(value, UnsetType) else value


def kept_or_default(value: T | UnsetType | None, current: T, default: T) -> T:
    """Do as `kept_or` for a field that has a default in place of null."""
    if isinstance(value, UnsetType):
        return current
    return default if value is None else value


def merged(patch: Mapping[str, V | None] | UnsetType | None, current: Mapping[str, V]) -> dict[str, V]:
    """Return the current object with the patch's names set, and those taken out that it has as null."""
    if isinstance(patch, UnsetType):
        return dict(current)
    if patch is None:
        return {}
    kept = {name: value for name, value in current.items() if name not in patch}
    return kept | {name: value for name, value in patch.items() if value is not None}
