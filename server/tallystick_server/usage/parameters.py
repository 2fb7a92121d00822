"""The query parameters of usage questions, declared one by one, so that the document lists them and other routes can share them."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

from tallystick.usage.question import Compare, Fill, Order, WindowSize

LAST_POSITION = 2**63 - 1

From = Annotated[
    str, QueryParameter(name="from", description="Start of the range, in it: RFC 3339, or milliseconds since 1970.")
]
To = Annotated[
    str | None,
    QueryParameter(name="to", description="End of the range, not in it. Absent: now. Never widened to whole windows."),
]
Window = Annotated[
    WindowSize,
    QueryParameter(name="window", description="How the range is cut, by the local calendar; weeks start on Monday."),
]
AnyWindow = Annotated[
    WindowSize,
    QueryParameter(
        name="window",
        description="Taken, so that a usage question can be sent as it is; what is explained is the figure of the whole range.",
    ),
]
TimeZone = Annotated[
    str, QueryParameter(name="timezone", max_length=64, description="The IANA name of the calendar's zone.")
]
GroupBy = Annotated[
    str | None,
    QueryParameter(name="group_by", max_length=4_096, description="Comma-separated: `customer` or any property."),
]
Ranking = Annotated[
    Order,
    QueryParameter(
        name="order", description="Which groups come first where `limit` cuts: the largest totals, or the smallest."
    ),
]
Groups = Annotated[int | None, QueryParameter(name="limit", ge=1, description="How many groups are answered at most.")]
Filling = Annotated[Fill, QueryParameter(name="fill", description="`zero`: a row for every window of every group.")]
Comparison = Annotated[
    Compare, QueryParameter(name="compare", description="`previous`: each figure beside that of the period before.")
]
AsOf = Annotated[
    int | None,
    QueryParameter(
        name="as_of",
        ge=0,
        le=LAST_POSITION,
        description="A position of the log: the answer as it was known then, by the meter's version in force then.",
    ),
]
Version = Annotated[
    int | None,
    QueryParameter(
        name="version",
        ge=1,
        le=LAST_POSITION,
        description="An older version of the meter. Absent: the newest, or with `as_of` the one in force then.",
    ),
]
