"""`tallystick customers`: whose usage is counted. Events of customers that nobody described count all the same."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from .allowance import show_allowance
from .asking import AsJson, Limit, Yes, assignments, sure, without_none
from .clearing import CLEAR, with_cleared
from .connection import LOCAL, Connection
from .failure import BadUse
from .listing import Field, Listing, show_item
from .terminal import Terminal

app = App(
    name="customers",
    help="Describe customers, and list those that nobody described.",
    help_epilogue="Examples:\n  tallystick customers list\n  tallystick customers unknown\n"
    "  tallystick customers create acme --name 'Acme Ltd' --timezone Europe/London",
)

_KNOWN: Final = Listing(
    "/v1/customers",
    (
        Field("key", "key"),
        Field("name", "name"),
        Field("email", "email"),
        Field("time zone", "time_zone"),
        Field("metadata", "metadata"),
        Field("created at", "created_at", moment=True),
    ),
    empty="No customers are described yet. `tallystick customers unknown` lists those that events name.",
)
_UNKNOWN: Final = Listing(
    "/v1/customers",
    (
        Field("key", "key"),
        Field("events", "event_count", numeric=True),
        Field("last event at", "last_event_at", moment=True),
    ),
    empty="Every customer that events name is described.",
)

app.command(
    show_allowance,
    name="allowance",
    help_epilogue="Examples:\n  tallystick customers allowance acme --meter tokens\n"
    "  tallystick customers allowance acme --meter tokens --property model=large \\\n"
    "      --json",
)

Key = Annotated[str, Parameter(name="KEY", help="The customer, as events name it.")]
Search = Annotated[
    str | None, Parameter(help="Only those whose key, name or e-mail address holds this text, in any case.")
]
Name = Annotated[str | None, Parameter(help="What people call it.")]
Email = Annotated[str | None, Parameter(help="Where to write to.")]
Zone = Annotated[str | None, Parameter(name=["--timezone", "--time-zone"], help="IANA zone of its calendar.")]
Metadata = Annotated[tuple[str, ...], Parameter(name="--metadata", help="name=value, kept as it is; repeatable.")]

Clearable = Literal["name", "email", "timezone", "metadata"]


@app.command(
    name="list",
    help_epilogue="Examples:\n  tallystick customers list\n  tallystick customers list --search acme --json",
)
def list_customers(
    *, search: Search = None, limit: Limit = 100, json: AsJson = False, connection: Connection = LOCAL
) -> int:
    """List the customers that were described."""
    params = [("search", search)] if search else []
    with connection.client() as client:
        _KNOWN.show(client, Terminal.of_process(), params, limit=limit, as_json=json)
    return 0


@app.command(
    name="unknown",
    help_epilogue="Examples:\n  tallystick customers unknown\n  tallystick customers unknown --limit 1000",
)
def list_unknown(
    *, search: Search = None, limit: Limit = 100, json: AsJson = False, connection: Connection = LOCAL
) -> int:
    """List the customers that events name but nobody described."""
    with connection.client() as client:
        params = [("known", "false"), *([("search", search)] if search else [])]
        _UNKNOWN.show(client, Terminal.of_process(), params, limit=limit, as_json=json)
    return 0


@app.command(
    name="show", help_epilogue="Examples:\n  tallystick customers show acme\n  tallystick customers show acme --json"
)
def show_customer(key: Key, /, *, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Show one customer."""
    from .client import segment

    with connection.client() as client:
        body = client.get(f"/v1/customers/{segment(key)}")
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="create",
    help_epilogue="Examples:\n  tallystick customers create acme --name 'Acme Ltd'\n"
    "  tallystick customers create acme --timezone Europe/London \\\n"
    "      --metadata plan=pro",
)
def create_customer(
    key: Key,
    /,
    *,
    name: Name = None,
    email: Email = None,
    time_zone: Zone = None,
    metadata: Metadata = (),
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Describe a customer."""
    with connection.client() as client:
        body = client.call("POST", "/v1/customers", json={"key": key} | _fields(name, email, time_zone, metadata))
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="update",
    help_epilogue="Examples:\n  tallystick customers update acme --email ops@acme.example\n"
    "  tallystick customers update acme --metadata plan=free --clear email",
)
def update_customer(
    key: Key,
    /,
    *,
    name: Name = None,
    email: Email = None,
    time_zone: Zone = None,
    metadata: Metadata = (),
    clear: Annotated[tuple[Clearable, ...], CLEAR] = (),
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Change fields of a customer; those not given stay, metadata name by name."""
    from .client import segment

    change = with_cleared(_fields(name, email, time_zone, metadata), clear, called={"timezone": "time_zone"})
    if not change:
        raise BadUse("give at least one field to change")
    with connection.client() as client:
        body = client.call("PATCH", f"/v1/customers/{segment(key)}", json=change)
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="delete",
    help_epilogue="Examples:\n  tallystick customers delete acme\n  tallystick customers delete acme --yes",
)
def delete_customer(key: Key, /, *, yes: Yes = False, connection: Connection = LOCAL) -> int:
    """Take a description away; the customer's events stay, and count as before."""
    from .client import segment

    sure(f"Delete the description of {key!a}? Its events stay.", yes=yes)
    with connection.client() as client:
        client.call("DELETE", f"/v1/customers/{segment(key)}")
    Terminal.of_process().note(f"Deleted {key}.")
    return 0


def _fields(
    name: str | None, email: str | None, time_zone: str | None, metadata: tuple[str, ...]
) -> dict[str, Any]:  # Any: JSON that the appliance checks
    return without_none(
        {
            "name": name,
            "email": email,
            "time_zone": time_zone,
            "metadata": dict(assignments("--metadata", metadata)) or None,
        }
    )
