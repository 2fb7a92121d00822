"""`tallystick aggregators`: what meters can do with events, built in or from a plugin."""

from __future__ import annotations

from typing import Final

from cyclopts import App

from .asking import AsJson
from .connection import LOCAL, Connection
from .listing import Field, Listing
from .terminal import Terminal

app = App(
    name="aggregators",
    help="List what meters can do with events, built in or from a plugin.",
    help_epilogue="Examples:\n  tallystick aggregators\n"
    "  tallystick aggregators --json \\\n"
    "      | jq '.items[] | select(.name == \"percentile\") | .options_schema'",
)

_LISTING: Final = Listing(
    "/v1/aggregators",
    (
        Field("name", "name"),
        Field("what it is", "summary"),
        Field("fields of its own", "options"),
        Field("from", "package", usual="tallystick"),
        Field("version", "version", for_pipes_only=True),
        Field("cannot be used", "error"),
    ),
    empty="No aggregations.",
    is_paged=False,
)


@app.default
def list_aggregators(*, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """List the aggregations that a meter can name; a plugin that cannot be used says why."""
    with connection.client() as client:
        _LISTING.show(client, Terminal.of_process(), as_json=json)
    return 0
