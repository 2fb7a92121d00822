"""`tallystick export`: raw events out, page by page, into a file that `import` takes back. Documented in `docs/import.md`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from .asking import From, TimeZone, To, range_params
from .connection import LOCAL, Connection
from .events import Customer, EventType, filters
from .failure import BadUse
from .terminal import Terminal

app = App(
    name="export",
    help="Write raw events to a file that `import` takes back.",
    help_epilogue="Examples:\n  tallystick export --from 2026-11-01 --to 2026-12-01 november.parquet\n"
    "  tallystick export --from -1d --customer acme acme.jsonl.gz\n"
    "  tallystick export --from -1h - --format jsonl | jq .customer | sort -u\n"
    "  tallystick export --from -7d --spreadsheet-safe week.csv",
)

_SUFFIXES = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}


@app.default
def export_events(  # noqa: PLR0913 - one for each option
    out: Annotated[str, Parameter(name="OUT", allow_leading_hyphen=True, help="The file to write; `-` is stdout.")],
    /,
    *,
    start: From = None,
    end: To = None,
    timezone: TimeZone = "UTC",
    customer: Customer = None,
    event_type: EventType = None,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["parquet", "jsonl", "csv"] | None,
        Parameter(help="What to write; otherwise told by OUT's name, else parquet."),
    ] = None,
    gzip: Annotated[bool, Parameter(help="Pack jsonl or csv; a name that ends in .gz says so too.")] = False,
    spreadsheet_safe: Annotated[
        bool, Parameter(help="CSV: put an apostrophe before cells that a spreadsheet would run as formulas.")
    ] = False,
    connection: Connection = LOCAL,
) -> int:
    """Write events, newest time first; voided ones are left out, so that an import of the file gives the same figures."""
    if out.startswith("-") and out != "-":
        raise BadUse(f"unknown option {out!a}; `tallystick export --help` lists them")
    kind = format or _format_of(out)
    is_packed = gzip or out.endswith(".gz")
    if kind == "parquet" and out == "-":
        raise BadUse("a Parquet file cannot be written to a pipe; name the file")
    if kind == "parquet" and is_packed:
        raise BadUse("Parquet packs by itself; leave gzip away")
    if spreadsheet_safe and kind != "csv":
        raise BadUse("--spreadsheet-safe is for CSV")
    params = filters(customer, event_type) + range_params(start, end, timezone)

    from .export_run import ExportRun

    with connection.client() as client:
        run = ExportRun(client, Terminal.of_process(), params, kind=kind, is_packed=is_packed, is_safe=spreadsheet_safe)
        run.run(out)
    return 0


def _format_of(out: str) -> str:
    from pathlib import PurePath

    suffixes = [suffix.lower() for suffix in PurePath(out).suffixes if suffix.lower() != ".gz"]
    if out == "-":
        return "jsonl"
    return _SUFFIXES.get(suffixes[-1], "parquet") if suffixes else "parquet"
