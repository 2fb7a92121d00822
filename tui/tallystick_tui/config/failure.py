"""Why something cannot be kept or found in the user's config folder, in words for the person who asked."""

from __future__ import annotations


class ConfigFailure(Exception):
    """Nothing was changed; `str()` is one line that says what failed and what to do."""


class NoSuchConnection(ConfigFailure):
    """No connection has this name."""


class WrongConnection(ConfigFailure):
    """A name or an address that no connection can have."""
