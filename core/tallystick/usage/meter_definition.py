"""Whether a meter is one: its key, its texts, its filter, and what its aggregation needs. Nothing is looked up in a store."""

from __future__ import annotations

import re
from typing import Final

from tallystick.errors import InvalidDefinition
from tallystick.event import PROPERTY_NAME_LENGTH_MAX, TYPE_LENGTH_MAX
from tallystick.meter import Meter

from .aggregators import bind_aggregator, check_aggregation
from .event_filter import check_filter, is_text

NAME_LENGTH_MAX: Final = 256
UNIT_LENGTH_MAX: Final = 64
DIMENSIONS_MAX: Final = 32

_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)


def checked_meter(meter: Meter) -> Meter:
    """Return the meter, or raise `InvalidDefinition` naming the first field that breaks a rule."""
    # "." and ".." are left out: clients and proxies take them for folders in a path.
    if not _KEY.fullmatch(meter.key) or not meter.key.strip("."):
        raise InvalidDefinition(
            "key", f"{meter.key[:64]!a} is no key: 1 to 128 of the characters A-Z a-z 0-9 _ . -, and not dots alone"
        )
    _check_text("name", meter.name, NAME_LENGTH_MAX)
    _check_text("event_type", meter.event_type, TYPE_LENGTH_MAX)
    if meter.unit is not None:
        _check_text("unit", meter.unit, UNIT_LENGTH_MAX)
    check_filter(meter.filter, lambda detail: InvalidDefinition("filter", detail))
    if len(meter.dimensions) > DIMENSIONS_MAX:
        raise InvalidDefinition("dimensions", f"{len(meter.dimensions)} names are more than {DIMENSIONS_MAX}")
    if len(set(meter.dimensions)) < len(meter.dimensions):
        raise InvalidDefinition("dimensions", "each name may be given once")
    for name in meter.dimensions:
        _check_text("dimensions", name, PROPERTY_NAME_LENGTH_MAX)
    check_aggregation(meter.aggregation)
    bind_aggregator(meter)
    return meter


def _check_text(field: str, text: str, length_max: int) -> None:
    if not is_text(text, length_max):
        raise InvalidDefinition(field, f"has {len(text)} characters, and may have 1 to {length_max} of Unicode text")
