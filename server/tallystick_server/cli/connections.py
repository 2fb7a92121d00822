"""`tallystick connections`: appliances under names, with their keys out of sight. Documented in `docs/connections.md`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from .asking import AsJson
from .failure import BadUse
from .kept import ask_for_key, connections_of_user, failures_told
from .terminal import Column, Terminal

_KEY_LENGTH_MAX: Final = 4096

app = App(
    name="connections",
    help="Keep appliances under names, with their keys out of sight.",
    help_epilogue="Examples:\n  tallystick connections add prod --url https://usage.example.com\n  tallystick connections list\n"
    "  tallystick tui --connection prod\n\n"
    "Kept in your config folder (TALLYSTICK_CONFIG_HOME, or what your system says). Keys go to the desktop's keyring, or, where there "
    "is none, into a file that you alone can read. docs/connections.md tells more.",
)

Name = Annotated[str, Parameter(name="NAME", help="What the connection is called.")]


@app.command(
    name="list", help_epilogue="Examples:\n  tallystick connections list\n  tallystick connections list --json"
)
def list_connections(*, json: AsJson = False) -> int:
    """List the connections, without their keys."""
    import msgspec

    terminal = Terminal.of_process()
    with failures_told():
        found = connections_of_user(terminal).read()
    if json:
        terminal.json(msgspec.json.encode(found))
        return 0
    terminal.table(
        [Column("name"), Column("address"), Column("key kept in"), Column("used by default")],
        [[name, each.url, each.key_in.value, name == found.used] for name, each in sorted(found.connections.items())],
        empty="No connections yet. Add one: tallystick connections add prod --url https://usage.example.com",
    )
    return 0


@app.command(
    name="add",
    help_epilogue="Examples:\n  tallystick connections add prod --url https://usage.example.com\n"
    "  tallystick connections add prod --url https://usage.example.com \\\n"
    "      --key-stdin < key.txt\n"
    "  tallystick connections add here --url http://127.0.0.1:7070 --no-key",
)
def add_connection(
    name: Name,
    /,
    *,
    url: Annotated[str, Parameter(help="Address of the appliance.")],
    key_stdin: Annotated[
        bool, Parameter(help="Read the key from stdin, its first line, instead of asking for it.")
    ] = False,
    no_key: Annotated[
        bool, Parameter(help="Keep no key: it is asked for at each start, or comes from TALLYSTICK_API_KEY.")
    ] = False,
    key_in: Annotated[
        Literal["keyring", "file"] | None, Parameter(help="Where to keep the key [default: the keyring, if it works].")
    ] = None,
) -> int:
    """Add a connection, or replace the one of this name; the key is asked for and never shown."""
    from tallystick_tui.config.connections import checked_url, is_readable_on_the_way
    from tallystick_tui.config.key_store import KeyPlace

    terminal = Terminal.of_process()
    if no_key and (key_stdin or key_in):
        raise BadUse("--no-key keeps no key; leave out --key-stdin and --key-in")
    with failures_told():
        address = checked_url(url)
        key = None if no_key else _key_of_stdin() if key_stdin else ask_for_key(address)
        place = KeyPlace(key_in) if key_in is not None else None
        added = connections_of_user(terminal).add(name, address, key, place=place)
    where = {KeyPlace.KEYRING: "its key in the keyring", KeyPlace.FILE: "its key in a file that you alone can read"}
    terminal.note(f"Added {name}: {added.url}, {where.get(added.key_in, 'without a key')}.")
    if is_readable_on_the_way(added.url) and added.key_in is not KeyPlace.NONE:
        terminal.note(
            "The address begins with http://, so the key travels unencrypted; give one with https:// if there is one."
        )
    return 0


@app.command(name="remove", help_epilogue="Examples:\n  tallystick connections remove prod")
def remove_connection(name: Name, /) -> int:
    """Remove a connection and its key from this machine; the appliance still takes the key until it is revoked there."""
    terminal = Terminal.of_process()
    with failures_told():
        connections_of_user(terminal).remove(name)
    terminal.note(f"Removed {name}.")
    return 0


@app.command(name="use", help_epilogue="Examples:\n  tallystick connections use prod")
def use_connection(name: Name, /) -> int:
    """Take this connection where `tallystick tui` is given no other."""
    terminal = Terminal.of_process()
    with failures_told():
        used = connections_of_user(terminal).use(name)
    terminal.note(f"From now on: {name}, {used.url}.")
    return 0


def _key_of_stdin() -> str:
    import sys

    key = sys.stdin.readline(_KEY_LENGTH_MAX).strip()
    if not key:
        raise BadUse("--key-stdin: nothing came on stdin")
    return key
