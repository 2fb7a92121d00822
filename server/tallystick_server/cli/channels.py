"""`tallystick channels`: where messages about signals go."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from cyclopts import App, Parameter

from .asking import AsJson, Yes, sure
from .connection import LOCAL, Connection
from .failure import EXIT_FAILURE, BadUse
from .listing import Field, Listing, show_item
from .terminal import Terminal

app = App(
    name="channels",
    help="Make, list, try and remove the channels that messages about signals go to.",
    help_epilogue="Examples:\n  tallystick channels list\n  tallystick channels add https://hooks.example.com/usage --test\n"
    "  tallystick channels add slack://TokenA/TokenB/TokenC/#ops --key ops --test",
)

_CHANNELS: Final = Listing(
    "/v1/channels",
    (
        Field("key", "key"),
        Field("kind", "kind"),
        Field("name", "name"),
        Field("url", "url"),
        Field("enabled", "enabled"),
        Field("waiting", "waiting", numeric=True),
        Field("disabled because", "disabled_reason"),
        Field("created at", "created_at", moment=True, for_pipes_only=True),
    ),
    empty="There are no channels yet. `tallystick channels add URL` makes one.",
    is_paged=False,
)

Key = Annotated[str, Parameter(name="KEY", help="The channel's key.")]


@app.command(name="list", help_epilogue="Examples:\n  tallystick channels list\n  tallystick channels list --json")
def list_channels(*, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """List the channels; secrets are never shown."""
    with connection.client() as client:
        _CHANNELS.show(client, Terminal.of_process(), as_json=json)
    return 0


@app.command(
    name="add",
    help_epilogue="Examples:\n  tallystick channels add https://hooks.example.com/usage --key billing --test\n"
    "  tallystick channels add 'mailtos://user:password@example.com' --key mail\n"
    "  pass show slack-url | tallystick channels add - --key ops --test",
)
def add_channel(
    url: Annotated[
        str,
        Parameter(
            name="URL",
            allow_leading_hyphen=True,
            help="https://... for a webhook, an Apprise URL such as slack://... otherwise; - reads it from stdin, which keeps "
            "it out of the shell's history.",
        ),
    ],
    /,
    *,
    key: Annotated[str | None, Parameter(help="Its key; made from the URL where there is none.")] = None,
    name: Annotated[str | None, Parameter(help="What people call it.")] = None,
    secret: Annotated[
        str | None,
        Parameter(
            env_var="TALLYSTICK_CHANNEL_SECRET",
            help="A webhook's secret, whsec_ and base64; without it one is made and printed once.",
        ),
    ] = None,
    test: Annotated[bool, Parameter(help="Send a test message at once.")] = False,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Make a channel. Its address is checked first."""
    address = sys.stdin.readline().strip() if url == "-" else url
    if not address:
        raise BadUse("stdin holds no URL")
    if address.startswith("-"):
        raise BadUse(f"{address!a} is no URL; options stand behind it")
    kind = "webhook" if address.lower().startswith(("http://", "https://")) else "apprise"
    given = {"key": key or _key_for(address), "kind": kind, "url": address, "name": name, "secret": secret}
    terminal = Terminal.of_process()
    with connection.client() as client:
        body = client.call("POST", "/v1/channels", json={field: value for field, value in given.items() if value})
        show_item(terminal, body, as_json=json)
        if secret is None and kind == "webhook":
            terminal.note("Keep the secret: it is not shown again. Receivers verify messages with it.")
        return _tested(client, str(given["key"]), terminal, is_beside=json, as_json=False) if test else 0


@app.command(
    name="test", help_epilogue="Examples:\n  tallystick channels test ops\n  tallystick channels test ops --json"
)
def try_channel(key: Key, /, *, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Send a test message and say what came of it; exit code 1 if it did not arrive."""
    with connection.client() as client:
        return _tested(client, key, Terminal.of_process(), as_json=json)


@app.command(
    name="enable", help_epilogue="Examples:\n  tallystick channels enable ops\n  tallystick channels enable ops --json"
)
def enable_channel(key: Key, /, *, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Take a channel back that was disabled; what waits for it is sent."""
    from .client import segment

    with connection.client() as client:
        body = client.call("PATCH", f"/v1/channels/{segment(key)}", json={"enabled": True})
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="remove",
    help_epilogue="Examples:\n  tallystick channels remove ops\n  tallystick channels remove ops --yes",
)
def remove_channel(key: Key, /, *, yes: Yes = False, connection: Connection = LOCAL) -> int:
    """Delete a channel; what waits for it is cancelled."""
    from .client import segment

    sure(f"Remove the channel {key!a}? What waits for it is cancelled.", yes=yes)
    with connection.client() as client:
        client.call("DELETE", f"/v1/channels/{segment(key)}")
    Terminal.of_process().note(f"Removed {key}.")
    return 0


def _tested(
    client: Any, key: str, terminal: Terminal, *, is_beside: bool = False, as_json: bool
) -> int:  # Any: an `ApplianceClient`
    """Send a test and say what came of it: on stderr where it stands beside a JSON answer."""
    from .client import decode_object, segment

    body = client.call("POST", f"/v1/channels/{segment(key)}/test")
    item = decode_object(body)
    if as_json:
        terminal.json(body)
    else:
        attempts = item["attempts"]
        said = attempts[-1]["detail"] if attempts else "no answer yet"
        words = {"delivered": "The test message arrived."}.get(
            item["state"], f"The test message did not arrive: {said or 'no reason was given'}"
        )
        (terminal.note if is_beside else terminal.say)(words)
    return 0 if item["state"] == "delivered" else EXIT_FAILURE


def _key_for(url: str) -> str:
    """Return a key that says where a channel leads: the host of a webhook, the service of Apprise."""
    scheme = url.partition("://")[0].lower()
    try:
        host = urlsplit(url).hostname if scheme in ("http", "https") else scheme
    except ValueError:
        host = None
    return re.sub(r"[^a-z0-9]+", "-", host or "channel").strip("-")[:64] or "channel"
