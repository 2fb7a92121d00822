"""Query parameters that several routes share."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

from tallystick.event import SOURCE_LENGTH_MAX

PAGE_LIMIT_MAX = 1_000

Limit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=PAGE_LIMIT_MAX, description="How many items a page has at most.")
]
Cursor = Annotated[
    str | None, QueryParameter(name="cursor", max_length=1_024, description="`next_cursor` of the page before.")
]
RangeStart = Annotated[
    str, QueryParameter(name="from", description="Start of the range, in it: RFC 3339, or milliseconds since 1970.")
]
RangeEnd = Annotated[
    str, QueryParameter(name="to", description="End of the range, not in it: RFC 3339, or milliseconds since 1970.")
]
AsOf = Annotated[
    int | None,
    QueryParameter(
        name="as_of",
        ge=0,
        le=2**63 - 1,
        description="A position of the log: the answer as it was known then. Absent: as it is known now; the answer names the position.",
    ),
]
SourceOnly = Annotated[
    str | None,
    QueryParameter(name="source", max_length=SOURCE_LENGTH_MAX, description="Only events of this source."),
]
MeterKeys = Annotated[
    str | None,
    QueryParameter(name="meter", max_length=8_192, description="Comma-separated keys of meters."),
]


def meter_keys(text: str | None) -> tuple[str, ...]:
    """Return the keys that a comma-separated parameter names; none for one that is absent or empty."""
    return tuple(key.strip() for key in text.split(",")) if text else ()
