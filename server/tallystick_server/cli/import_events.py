"""`tallystick import`: bulk load over HTTP. Running it again counts nothing twice. Documented in `docs/import.md`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Group, Parameter

from .asking import AsJson
from .connection import LOCAL, Connection
from .failure import BadUse
from .terminal import Terminal

if TYPE_CHECKING:
    from .intake.load import LoadPlan

_EXAMPLES = """Examples:
  tallystick import events.jsonl.gz
  tallystick import usage.csv --set type=api_call --map customer=account \\
      --map time=created --timezone UTC
  tallystick import 2026-*.parquet --map properties.tokens=n_tokens \\
      --ignore row_id
  zcat *.gz | tallystick import - --format jsonl --rejected rejected.jsonl

docs/import.md tells how columns become fields, and which ids are made for records without one."""

app = App(name="import", help="Load events from files; running it again counts nothing twice.", help_epilogue=_EXAMPLES)

_COLUMNS = Group("Columns", sort_key=10)
_SENDING = Group("Sending", sort_key=20)

GiveUpAfter = Annotated[int, Parameter(help="Seconds to go on trying while the appliance does not answer; at least 1.")]


@Parameter(name="*", group=_COLUMNS)
@dataclass(frozen=True)
class Columns:
    """How the columns of a file become the fields of events."""

    maps: Annotated[tuple[str, ...], Parameter(name="--map", help="field=column; repeatable.")] = ()
    sets: Annotated[tuple[str, ...], Parameter(name="--set", help="field=text, the same for every event.")] = ()
    ignore: Annotated[tuple[str, ...], Parameter(help="A column to leave out.")] = ()
    timezone: Annotated[str | None, Parameter(help="Zone of times that carry none; without it they are refused.")] = (
        None
    )
    time_unit: Annotated[Literal["s", "ms", "us", "ns"], Parameter(help="What times that are bare numbers count.")] = (
        "ms"
    )
    delimiter: Annotated[str | None, Parameter(help="What parts CSV cells; found out by itself otherwise.")] = None
    id_seed: Annotated[
        str | None,
        Parameter(help="Make ids from this text instead of the file's first record, where records have none."),
    ] = None


@Parameter(name="*", group=_SENDING)
@dataclass(frozen=True)
class Sending:
    """How records are sent."""

    batch_size: Annotated[int, Parameter(help="Events in a request, at most 10,000.")] = 5_000
    in_flight: Annotated[int, Parameter(help="Requests at the same time.")] = 4
    give_up_after: GiveUpAfter = 300


@app.default
def import_events(
    *files: Annotated[
        str,
        Parameter(name="FILE", allow_leading_hyphen=True, help="Files, packed with gzip or zstd or not; `-` is stdin."),
    ],
    format: Annotated[  # noqa: A002 - the option's name
        Literal["jsonl", "csv", "parquet"] | None, Parameter(help="What is in them; otherwise told by their names.")
    ] = None,
    columns: Columns = Columns(),
    sending: Sending = Sending(),
    rejected: Annotated[str | None, Parameter(help="Write refused records and their reasons to this file.")] = None,
    show_rejected: Annotated[int, Parameter(help="Show so many refused records.")] = 10,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Load events from files; exit 1 if any record was refused."""
    for file in files:
        if file.startswith("-") and file != "-":
            raise BadUse(f"unknown option {file!a}; `tallystick import --help` lists them")
    if not files:
        raise BadUse("give at least one FILE (`-` for stdin)")
    if files.count("-") > 1:
        raise BadUse("stdin can be read once")
    if rejected is not None and any(_is_same(rejected, file) for file in files):
        raise BadUse("--rejected: that file is one of those to load")
    plan = load_plan(columns, sending)

    from .import_run import ImportRun
    from .intake.input_file import InputFile

    inputs = [InputFile(file, format) for file in files]
    with connection.client() as client:
        run = ImportRun(client, Terminal.of_process(), plan, rejected_path=rejected, show_rejected=show_rejected)
        return run.run(inputs, as_json=json)


def load_plan(columns: Columns, sending: Sending) -> LoadPlan:
    """Return the plan that the options ask for. Raises `BadUse`."""
    from .intake.batch import BATCH_EVENTS_MAX
    from .intake.field_map import FieldMap, TimeReading
    from .intake.load import LoadPlan
    from .moment import zone_of

    if not 1 <= sending.batch_size <= BATCH_EVENTS_MAX:
        raise BadUse(f"--batch-size: give 1 to {BATCH_EVENTS_MAX}")
    if not 1 <= sending.in_flight <= 16:  # noqa: PLR2004 - more only queue in the appliance
        raise BadUse("--in-flight: give 1 to 16")
    if sending.give_up_after < 1:
        raise BadUse("--give-up-after: give at least 1")
    if columns.delimiter is not None and len(columns.delimiter) != 1:
        raise BadUse("--delimiter: give one character")
    zone = None if columns.timezone is None else zone_of(columns.timezone)
    fields = FieldMap(columns.maps, columns.sets, columns.ignore, TimeReading(columns.time_unit, zone))
    return LoadPlan(
        fields,
        id_seed=columns.id_seed,
        delimiter=columns.delimiter,
        events_max=sending.batch_size,
        in_flight=sending.in_flight,
        give_up_after_s=float(sending.give_up_after),
    )


def _is_same(one: str, other: str) -> bool:
    from pathlib import Path

    return other != "-" and Path(one).resolve() == Path(other).resolve()
