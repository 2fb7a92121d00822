"""Query parameters that several routes share."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

PAGE_LIMIT_MAX = 1_000

Limit = Annotated[
    int, QueryParameter(name="limit", ge=1, le=PAGE_LIMIT_MAX, description="How many items a page has at most.")
]
Cursor = Annotated[
    str | None, QueryParameter(name="cursor", max_length=1_024, description="`next_cursor` of the page before.")
]
