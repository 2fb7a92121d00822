"""`tallystick statement`: what a customer used, bound to the log; the proof of one event; its events. See `docs/statements.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from .asking import AsJson, From, TimeZone, To, range_params
from .connection import LOCAL, Connection
from .failure import BadUse
from .terminal import Terminal
from .usage_question import Window

if TYPE_CHECKING:
    from .client import ApplianceClient, Params

app = App(
    name="statement",
    help="State what a customer used, bound to the log, and prove single events.",
    help_epilogue="Examples:\n"
    "  tallystick statement acme --from 2026-11-01 --to 2026-12-01 \\\n"
    "      --out november.json --events-out november.jsonl\n"
    "  tallystick statement acme --from 2026-11-01 --to 2026-12-01 --as-of 48211 \\\n"
    "      --proof 01JBN6P8 --out receipt.json\n"
    "  tallystick verify --statement november.json --events november.jsonl \\\n"
    "      --receipt receipt.json",
)


@app.default
def statement(  # noqa: PLR0913 - one for each option
    customer: Annotated[str, Parameter(name="CUSTOMER", help="The customer's key.")],
    /,
    *,
    start: From = None,
    end: To = None,
    as_of: Annotated[int | None, Parameter(help="A log position: the statement as it was then, byte for byte.")] = None,
    meter: Annotated[tuple[str, ...], Parameter(name=["--meter", "-m"], help="Only this meter; repeatable.")] = (),
    window: Window = "total",
    timezone: TimeZone = "UTC",
    proof: Annotated[
        str | None, Parameter(help="Instead: the receipt of the event of this id, and its way to the root.")
    ] = None,
    source: Annotated[str | None, Parameter(help="The source of that event.")] = None,
    out: Annotated[str | None, Parameter(help="Write the document to this file, byte for byte.")] = None,
    events_out: Annotated[
        str | None, Parameter(help="Write the events that it is made from to this file, one a line.")
    ] = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """State what a customer used in a range."""
    if start is None or end is None:
        raise BadUse("--from, --to: a statement is about a range with both ends")
    if source is not None and proof is None:
        raise BadUse("--source names the source of the event that --proof is about")
    if proof is not None and (meter or events_out or window != "total"):
        raise BadUse("--proof is about one event; give it without --meter, --window and --events-out")
    params = range_params(start, end, timezone)
    if as_of is not None:
        params.append(("as_of", str(as_of)))
    terminal = Terminal.of_process()
    with connection.client() as client:
        if proof is not None:
            body = _proof(client, customer, [*params, ("id", proof), ("source", source or "")])
        else:
            shape = [("window", window), ("timezone", timezone), *([("meter", ",".join(meter))] if meter else [])]
            body = _statement(client, customer, [*params, *shape])
        if events_out is not None:
            _write_events(client, terminal, customer, params, body, events_out)
    if out is not None:
        _write(out, body)
        terminal.note(f"{out}: {len(body):,} bytes")
    if json or (proof is not None and out is None):
        terminal.json(body)
    elif proof is None:
        from .statement_table import show_statement

        show_statement(terminal, body, zone_name=timezone)
    return 0


def _statement(client: ApplianceClient, customer: str, params: Params) -> bytes:
    from .client import segment

    return client.get(f"/v1/customers/{segment(customer)}/statement", params)


def _proof(client: ApplianceClient, customer: str, params: Params) -> bytes:
    from .client import segment

    return client.get(f"/v1/customers/{segment(customer)}/statement/proof", params)


def _write(path: str, body: bytes) -> None:
    from pathlib import Path

    Path(path).write_bytes(body)


def _write_events(
    client: ApplianceClient, terminal: Terminal, customer: str, params: Params, statement_body: bytes, path: str
) -> None:
    """Write the list that the statement is made from: of the same range and position, by position."""
    from pathlib import Path

    from tallystick.statement.statement import decode_statement

    from .client import Page, decode, segment
    from .whole_file import whole_file

    as_of = str(decode_statement(statement_body).as_of)
    asked = [(name, value) for name, value in params if name != "as_of"]
    asked += [("as_of", as_of), ("limit", "10000")]
    cursor: list[tuple[str, str]] = []
    count = 0
    with whole_file(Path(path)) as partial, partial.open("wb") as file, terminal.progress() as bar:
        while True:
            page = decode(client.get(f"/v1/customers/{segment(customer)}/events", [*asked, *cursor]), Page)
            file.writelines(bytes(item) + b"\n" for item in page.items)
            count += len(page.items)
            bar.show(count, None, f"{count:,} events")
            if page.next_cursor is None:
                break
            cursor = [("cursor", page.next_cursor)]
    terminal.note(f"{path}: {count:,} events, voided ones marked")
