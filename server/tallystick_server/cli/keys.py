"""`tallystick keys`: who may send, read and administer."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from .asking import AsJson, Yes, moment_as_sent, sure
from .connection import LOCAL, Connection
from .listing import Field, Listing
from .terminal import Terminal

app = App(
    name="keys",
    help="Create and delete API keys.",
    help_epilogue="Examples:\n  tallystick keys list\n  tallystick keys create gateway-1 --scope ingest",
)

_LISTING: Final = Listing(
    "/v1/api-keys",
    (
        Field("id", "id"),
        Field("name", "name"),
        Field("scopes", "scopes"),
        Field("begins with", "prefix"),
        Field("created at", "created_at", moment=True),
        Field("expires at", "expires_at", moment=True),
        Field("last used at", "last_used_at", moment=True),
    ),
    empty="No keys.",
    is_paged=False,
)

Scope = Literal["ingest", "read", "admin"]


@app.command(name="list", help_epilogue="Examples:\n  tallystick keys list\n  tallystick keys list --json")
def list_keys(*, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """List the keys; the keys themselves are shown only once, when they are made."""
    with connection.client() as client:
        _LISTING.show(client, Terminal.of_process(), as_json=json)
    return 0


@app.command(
    name="create",
    help_epilogue="Examples:\n  tallystick keys create gateway-1 --scope ingest\n"
    "  tallystick keys create dashboard --scope read --expires 2027-01-01\n"
    "  KEY=$(tallystick keys create ci --scope ingest | tail -n 1)",
)
def create_key(
    name: Annotated[str, Parameter(name="NAME", help="What it is for.")],
    /,
    *,
    scopes: Annotated[tuple[Scope, ...], Parameter(name="--scope", help="What it may do; repeatable.")] = ("ingest",),
    expires: Annotated[
        str | None, Parameter(allow_leading_hyphen=True, help="When it ends: RFC 3339, a date, or +30d.")
    ] = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Make a key and show it, this once."""
    from .client import decode_object

    order: dict[str, object] = {"name": name, "scopes": list(scopes)}
    if expires is not None:
        order["expires_at"] = moment_as_sent("--expires", expires)
    with connection.client() as client:
        body = client.call("POST", "/v1/api-keys", json=order)
    terminal = Terminal.of_process()
    if json:
        terminal.json(body)
        return 0
    answer = decode_object(body)
    terminal.note(f"Key {answer.get('id')} for {name} ({', '.join(scopes)}). It is shown this once; keep it safe:")
    terminal.say(str(answer.get("key")))
    return 0


@app.command(
    name="delete", help_epilogue="Examples:\n  tallystick keys delete key_3f2a\n  tallystick keys delete key_3f2a --yes"
)
def delete_key(
    key_id: Annotated[str, Parameter(name="ID", help="The key's id, as `keys list` shows it.")],
    /,
    *,
    yes: Yes = False,
    connection: Connection = LOCAL,
) -> int:
    """Delete a key; who uses it is refused from then on."""
    from .client import segment

    sure(f"Delete the key {key_id!a}? Who uses it is refused from then on.", yes=yes)
    with connection.client() as client:
        client.call("DELETE", f"/v1/api-keys/{segment(key_id)}")
    Terminal.of_process().note(f"Deleted {key_id}.")
    return 0
