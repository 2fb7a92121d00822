"""Raw JSON values of many events, as bytes."""

from __future__ import annotations

from typing import cast

import msgspec


def raw_column(column: list[msgspec.Raw]) -> tuple[list[bytes], bytes]:
    """Return the bytes of each and, for counting, of all, with NUL between them."""
    # Joined and split again, because that costs half of what bytes() for each does. No JSON that msgspec lets through holds a NUL.
    joined = b"\0".join(cast("list[bytes]", column))
    return joined.split(b"\0"), joined
