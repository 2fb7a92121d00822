"""`tallystick deliveries`: messages on their way, and those that arrived or did not."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from .asking import AsJson, Limit, without_none
from .connection import LOCAL, Connection
from .listing import Field, Listing, show_item
from .terminal import Terminal

app = App(
    name="deliveries",
    help="List messages about signals with what came of them, and send one once more.",
    help_epilogue="Examples:\n  tallystick deliveries list\n  tallystick deliveries list --channel ops --state failed\n"
    "  tallystick deliveries redeliver msg_1042_0_9f3a5c7e1b2d4f60",
)

_DELIVERIES: Final = Listing(
    "/v1/deliveries",
    (
        Field("id", "id"),
        Field("created at", "created_at", moment=True),
        Field("channel", "channel"),
        Field("event", "event"),
        Field("customer", "customer"),
        Field("steps", "steps", numeric=True),
        Field("state", "state"),
        Field("attempts", "attempt_count", numeric=True),
        Field("due at", "due_at", moment=True),
        Field("joined into", "joined_into", for_pipes_only=True),
    ),
    empty="There are no deliveries.",
)

State = Literal["waiting", "held", "delivered", "failed", "joined", "cancelled"]


@app.command(
    name="list",
    help_epilogue="Examples:\n  tallystick deliveries list\n  tallystick deliveries list --channel ops --state failed --json",
)
def list_deliveries(
    *,
    channel: Annotated[str | None, Parameter(help="Only those to this channel.")] = None,
    signal: Annotated[str | None, Parameter(help="Only those that tell of this signal.")] = None,
    state: Annotated[State | None, Parameter(help="Only those that stand like this.")] = None,
    limit: Limit = 100,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List messages, newest first."""
    params = list(without_none({"channel": channel, "signal": signal, "state": state}).items())
    with connection.client() as client:
        _DELIVERIES.show(client, Terminal.of_process(), params, limit=limit, as_json=json)
    return 0


@app.command(
    name="show",
    help_epilogue="Examples:\n  tallystick deliveries show msg_1042_0_9f3a5c7e1b2d4f60\n"
    "  tallystick deliveries show msg_1042_0_9f3a5c7e1b2d4f60 --json",
)
def show_delivery(
    delivery_id: Annotated[str, Parameter(name="ID", help="Its id, as `deliveries list` shows it.")],
    /,
    *,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Show one message with its attempts and what the receiver said."""
    from .client import segment

    with connection.client() as client:
        body = client.get(f"/v1/deliveries/{segment(delivery_id)}")
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="redeliver",
    help_epilogue="Examples:\n  tallystick deliveries redeliver msg_1042_0_9f3a5c7e1b2d4f60\n"
    "  tallystick deliveries redeliver msg_1042_0_9f3a5c7e1b2d4f60 --json",
)
def redeliver(
    delivery_id: Annotated[str, Parameter(name="ID", help="Its id, as `deliveries list` shows it.")],
    /,
    *,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Send a message once more, under its own id."""
    from .client import segment

    with connection.client() as client:
        body = client.call("POST", f"/v1/deliveries/{segment(delivery_id)}/redeliver")
    show_item(Terminal.of_process(), body, as_json=json)
    return 0
