"""`tallystick explain`: what a figure was made of, event by event, or interval by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from .asking import AsJson, From, Limit, TimeZone, To, listed, range_params
from .connection import LOCAL, Connection
from .failure import BadUse
from .terminal import Terminal
from .usage_question import Filters, GroupBy, OfCustomer, filter_params

if TYPE_CHECKING:
    from .client import ApplianceClient

app = App(
    name="explain",
    help="List what a meter's figure was made of: what is listed adds up to it.",
    help_epilogue="Examples:\n  tallystick explain tokens --from 2026-11-01 --to 2026-12-01 --customer acme\n"
    "  tallystick explain machine-hours --from -1d --filter region=eu\n"
    "  tallystick explain tokens --from -1h --json | jq '.items[].amount'",
)

LIMIT_MAX: Final = 100_000
_ITEMS_A_PAGE: Final = 1_000


@app.default
def explain(  # noqa: PLR0913 - one for each parameter of the question
    meter: Annotated[str, Parameter(name="METER", help="The meter's key.")],
    /,
    *,
    start: From = "-30d",
    end: To = None,
    timezone: TimeZone = "UTC",
    customer: OfCustomer = None,
    filters: Filters = (),
    group_by: GroupBy = (),
    as_of: Annotated[int | None, Parameter(help="A log position: what the figure was made of then.")] = None,
    limit: Limit = 100,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List the events behind a figure, oldest first; for levels and durations the intervals, and what began and ended each."""
    from .client import segment

    if limit > LIMIT_MAX:
        raise BadUse(f"--limit: give at most {LIMIT_MAX:,}")
    params = [*range_params(start, end, timezone), ("include_archived", "true")]
    params += filter_params(filters, customer)
    if names := listed(group_by):
        params.append(("group_by", ",".join(names)))
    if as_of is not None:
        params.append(("as_of", str(as_of)))
    terminal = Terminal.of_process()
    with connection.client() as client:
        explanation = _read(client, f"/v1/meters/{segment(meter)}/explain", params, limit)
    if json:
        import msgspec

        terminal.json(msgspec.json.encode(explanation))
    else:
        from .explain_table import show_explanation

        show_explanation(terminal, explanation)
    return 0


def _read(
    client: ApplianceClient, path: str, params: list[tuple[str, str]], limit: int
) -> dict[str, Any]:  # Any: JSON of the API, numbers as they were written
    """Return the first page with the items of as many further ones as it takes."""
    import msgspec

    from .client import decode, decode_object

    whole: dict[str, Any] = {}
    items: list[msgspec.Raw] = []
    cursor: str | None = None
    while True:
        query = [*params, ("limit", str(min(limit - len(items), _ITEMS_A_PAGE)))]
        if cursor is not None:
            query.append(("cursor", cursor))
        page = decode(client.get(path, query), dict[str, msgspec.Raw])
        items += decode(bytes(page["items"]), list[msgspec.Raw])
        cursor = decode_object(b'{"cursor":' + bytes(page["next_cursor"]) + b"}")["cursor"]
        whole = whole or {name: msgspec.Raw(bytes(raw)) for name, raw in page.items()}
        if cursor is None or len(items) >= limit:
            return whole | {"items": items, "next_cursor": cursor}
