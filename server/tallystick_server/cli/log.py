"""`tallystick log`: the hash chain, for auditors."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import App, Parameter

from .asking import AsJson, Limit
from .connection import LOCAL, Connection
from .listing import Field, Listing, show_item
from .terminal import Terminal

app = App(
    name="log",
    help="Show the hash chain: its head, its blocks, and a verification that runs.",
    help_epilogue="Examples:\n  tallystick log head\n  tallystick log blocks --limit 20\n  tallystick log block 42\n\n"
    "`tallystick verify` checks the chain.",
)
_BLOCKS: Final = Listing(
    "/v1/log/blocks",
    (
        Field("block", "number", numeric=True),
        Field("written at", "written_at", moment=True),
        Field("kind", "kind"),
        Field("position", "position", numeric=True),
        Field("records", "record_count", numeric=True),
        Field("bytes", "payload_bytes", numeric=True),
        Field("hash", "hash"),
        Field("previous hash", "previous_hash", for_pipes_only=True),
    ),
    empty="The log is empty.",
)


@app.command(name="head", help_epilogue="Examples:\n  tallystick log head\n  tallystick log head --json")
def head(*, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Show the last position, block and hash. Whoever keeps this hash can prove later that nothing before it was changed."""
    with connection.client() as client:
        show_item(Terminal.of_process(), client.get("/v1/log/head"), as_json=json)
    return 0


@app.command(
    name="blocks", help_epilogue="Examples:\n  tallystick log blocks --limit 20\n  tallystick log blocks --json"
)
def blocks(*, limit: Limit = 100, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """List blocks, newest first."""
    with connection.client() as client:
        _BLOCKS.show(client, Terminal.of_process(), limit=limit, as_json=json)
    return 0


@app.command(name="block", help_epilogue="Examples:\n  tallystick log block 42\n  tallystick log block 42 --json")
def block(
    number: Annotated[int, Parameter(name="NUMBER", help="The block's number; the first is 1.")],
    /,
    *,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Show one block, its hash and that of the block before."""
    with connection.client() as client:
        show_item(Terminal.of_process(), client.get(f"/v1/log/blocks/{number}"), as_json=json)
    return 0


@app.command(
    name="verification", help_epilogue="Examples:\n  tallystick log verification\n  tallystick log verification --stop"
)
def verification(
    *,
    stop: Annotated[bool, Parameter(help="End the one that runs.")] = False,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Show the verification that the appliance runs, and how the last one ended since it was started."""
    terminal = Terminal.of_process()
    with connection.client() as client:
        if stop:
            client.call("DELETE", "/v1/log/verification")
            terminal.note("It ends at its next step.")
            return 0
        show_item(terminal, client.get("/v1/log/verification"), as_json=json)
    return 0
