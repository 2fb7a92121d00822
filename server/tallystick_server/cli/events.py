"""`tallystick events`: raw events, as the log has them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from .asking import AsJson, From, Limit, TimeZone, To, range_params
from .connection import LOCAL, Connection
from .failure import BadUse
from .listing import Field, Listing, show_item
from .terminal import Terminal

app = App(
    name="events",
    help="List, follow, look up and void events.",
    help_epilogue="Examples:\n  tallystick events list --customer acme --from -1d\n  tallystick events tail --type api_call",
)

Customer = Annotated[str | None, Parameter(name=["--customer", "-c"], help="Only events of this customer.")]
EventType = Annotated[str | None, Parameter(name=["--type", "--event-type"], help="Only events of this type.")]
Source = Annotated[str, Parameter(help="The source that the event was sent with.")]

LISTING = Listing(
    "/v1/events",
    (
        Field("time", "time", moment=True),
        Field("type", "type"),
        Field("customer", "customer"),
        Field("value", "value", numeric=True),
        Field("id", "id"),
        Field("source", "source"),
        Field("properties", "properties"),
        Field("state", "state", usual="counted"),
        Field("position", "position", numeric=True, for_pipes_only=True),
        Field("received_at", "received_at", moment=True, for_pipes_only=True),
    ),
    empty="No events match.",
)


def filters(customer: str | None, event_type: str | None) -> list[tuple[str, str]]:
    """Return the filters of the events list and of the stream, for those that were given."""
    named = (("customer", customer), ("type", event_type))
    return [(name, value) for name, value in named if value is not None]


@app.command(
    name="list",
    help_epilogue="Examples:\n  tallystick events list --customer acme --limit 20\n"
    "  tallystick events list --type api_call --from -1h --json",
)
def list_events(
    *,
    customer: Customer = None,
    event_type: EventType = None,
    start: From = None,
    end: To = None,
    timezone: TimeZone = "UTC",
    limit: Limit = 50,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List events, newest time first."""
    params = filters(customer, event_type) + range_params(start, end, timezone)
    with connection.client() as client:
        LISTING.show(client, Terminal.of_process(), params, limit=limit, as_json=json)
    return 0


@app.command(
    # As everything else is shown; `get` is what it was called first.
    name=["show", "get"],
    help_epilogue="Examples:\n  tallystick events show 01J9ZK3T --source gateway-1\n  tallystick events get 01J9ZK3T --json",
)
def show_event(
    event_id: Annotated[str, Parameter(name="ID", help="The event's id.")],
    /,
    *,
    source: Source = "",
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Show one event and its receipt: position, block, the block's hash, how often it was sent again, and why it was voided."""
    with connection.client() as client:
        body = client.get("/v1/events/by-id", [("source", source), ("id", event_id)])
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="void",
    help_epilogue="Examples:\n  tallystick events void 01J9ZK3T --reason 'sent by a test'\n"
    "  tallystick events void a b c --source gateway-1 --reason refund --remember",
)
def void_events(
    *event_ids: Annotated[str, Parameter(name="ID", help="Ids of the events.")],
    reason: Annotated[str, Parameter(help="Why; kept in the log beside the correction.")],
    source: Source = "",
    remember: Annotated[bool, Parameter(help="Void ids that have not come yet when they come.")] = False,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Take events out of every figure; they stay in the log. Exit 1 if an id is unknown."""
    from .client import decode_object

    if not event_ids:
        raise BadUse("give at least one ID")
    order: dict[str, object] = {"events": [{"source": source, "id": one} for one in event_ids], "reason": reason}
    if remember:
        order["if_missing"] = "remember"
    with connection.client() as client:
        body = client.call("POST", "/v1/events/void", json=order)
    terminal = Terminal.of_process()
    answer = decode_object(body)
    if json:
        terminal.json(body)
    else:
        terminal.facts((name.replace("_", " "), count) for name, count in answer.items() if isinstance(count, int))
    missing = [str(identity["id"]) for identity in answer.get("not_found", [])]
    if missing:
        of = f"of source {source!a}" if source else "without a source (--source names one)"
        terminal.note(f"not found {of}: {', '.join(missing)}; --remember voids them when they come")
    return 1 if missing else 0


@app.command(
    name="tail",
    help_epilogue="Examples:\n  tallystick events tail\n  tallystick events tail -n 0 --customer acme --json | jq .value",
)
def tail(
    *,
    customer: Customer = None,
    event_type: EventType = None,
    lines: Annotated[int, Parameter(name=["--lines", "-n"], help="Show so many older events first.")] = 10,
    stop_after: Annotated[int | None, Parameter(help="End after so many events, the older ones among them.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object a line, as the API sends it.")] = False,
    connection: Connection = LOCAL,
) -> int:
    """Follow events as they land, until Ctrl-C; a lost connection is taken up again."""
    from .events_tail import Tail

    if lines < 0 or (stop_after is not None and stop_after < 1):
        raise BadUse("--lines and --stop-after are counts")
    with connection.client() as client:
        terminal = Terminal.of_process()
        Tail(client, terminal, filters(customer, event_type), as_json=json, stop_after=stop_after).follow(lines)
    return 0
