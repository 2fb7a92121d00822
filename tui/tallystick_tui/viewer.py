"""Who looks: the zone in which times are shown, the clock, whether plain text is wanted in place of drawings, and what is kept for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .config.view_state import ViewStateFile


def local_zone(environment: str | None = None, localtime: Path = Path("/etc/localtime")) -> ZoneInfo:
    """Return the machine's zone by its IANA name: from `TZ`, else from where `/etc/localtime` leads, else UTC."""
    name = (environment if environment is not None else os.environ.get("TZ", "")).lstrip(":")
    if not name:
        _, found, rest = str(localtime.resolve()).partition("/zoneinfo/")
        name = rest if found else ""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _real_now() -> datetime:
    # The one place where the dashboard asks what time it is; tests pass another clock.
    return datetime.now(UTC)  # noqa: TID251 - as said


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person in front of the screen. `is_plain` asks for text that a screen reader can read: no graphs, no moving parts.

    `kept` is where theme, saved views and small choices are kept between two starts; None where nothing is.
    """

    zone: ZoneInfo = field(default_factory=local_zone)
    now: Callable[[], datetime] = _real_now
    is_plain: bool = False
    kept: ViewStateFile | None = None

    @property
    def zone_name(self) -> str:
        """The zone's IANA name."""
        return self.zone.key
