"""Where the user's own files are: `TALLYSTICK_CONFIG_HOME`, else the platform's folder (Linux: `$XDG_CONFIG_HOME/tallystick`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def config_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder; it need not exist."""
    named = environment.get("TALLYSTICK_CONFIG_HOME", "")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_config_path  # noqa: PLC0415 - not needed where the folder is named

    return user_config_path("tallystick", appauthor=False)
