"""Archived meters are read by those who ask for them."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

from tallystick.errors import NotFound
from tallystick.meter import Meter
from tallystick.store import Store

IncludeArchived = Annotated[
    bool, QueryParameter(name="include_archived", description="`true` answers archived meters too.")
]


def readable_meter(store: Store, key: str, *, include_archived: bool) -> Meter:
    """Return a meter of this key. Raises `NotFound`, for an archived one too unless those are asked for."""
    meter = store.meter(key)
    if meter.archived_at is not None and not include_archived:
        raise NotFound("meter", key)
    return meter
