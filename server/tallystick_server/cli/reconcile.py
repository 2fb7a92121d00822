"""`tallystick reconcile`: your own list beside the log, whatever its size. Documented in `docs/reconcile.md`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from .asking import AsJson, From, To, range_params
from .connection import LOCAL, Connection
from .failure import BadUse
from .import_events import Columns, GiveUpAfter, Sending, load_plan
from .terminal import Terminal

app = App(
    name="reconcile",
    help="Compare your own list of events with the log, event by event.",
    help_epilogue="Examples:\n"
    "  tallystick reconcile november.jsonl --customer acme --from 2026-11-01 \\\n"
    "      --to 2026-12-01\n"
    "  tallystick reconcile ids.csv --customer acme --from -7d \\\n"
    "      --map id=request_id --ignore row --csv differences.csv\n"
    "  tallystick reconcile ours.parquet --customer acme --from -1d \\\n"
    "      --meter tokens --json\n\n"
    "Exit 0: both sides have the same. Exit 1: they do not; the differences are listed.",
)

_COLUMNS = Columns()


@app.default
def reconcile(  # noqa: PLR0913 - one for each option
    file: Annotated[str, Parameter(name="FILE", allow_leading_hyphen=True, help="Your list; `-` is stdin.")],
    /,
    *,
    customer: Annotated[str, Parameter(name=["--customer", "-c"], help="Whose events are compared.")],
    start: From = None,
    end: To = None,
    timezone_of_range: Annotated[
        str, Parameter(name="--range-timezone", help="Zone in which --from and --to are read, where they name none.")
    ] = "UTC",
    source: Annotated[str | None, Parameter(help="Only this source's events; items without a source get it.")] = None,
    as_of: Annotated[int | None, Parameter(help="A log position: compare with the log as it was then.")] = None,
    meter: Annotated[
        tuple[str, ...], Parameter(name=["--meter", "-m"], help="A count or sum to make of both sides; repeatable.")
    ] = (),
    format: Annotated[  # noqa: A002 - the option's name
        Literal["jsonl", "csv", "parquet"] | None, Parameter(help="What is in the file; otherwise told by its name.")
    ] = None,
    columns: Columns = _COLUMNS,
    csv: Annotated[str | None, Parameter(name="--csv", help="Write every difference to this file.")] = None,
    show: Annotated[int, Parameter(help="Show so many differences.")] = 20,
    batch_size: Annotated[int, Parameter(help="Items in a request, at most 10,000.")] = 5_000,
    give_up_after: GiveUpAfter = 300,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Compare a list with what the appliance has of one customer in a range; exit 1 unless both have the same."""
    if file.startswith("-") and file != "-":
        raise BadUse(f"unknown option {file!a}; `tallystick reconcile --help` lists them")
    if start is None:
        raise BadUse("--from: say from when on; --to may be left out, and is now then")
    params = dict(range_params(start, end or "now", timezone_of_range))
    plan = load_plan(columns, Sending(batch_size=batch_size, give_up_after=give_up_after))

    from .intake.input_file import InputFile
    from .reconcile_run import Asked, ReconcileRun

    asked = Asked(
        customer=customer, start=params["from"], end=params["to"], source=source, as_of=as_of, meters=tuple(meter)
    )
    with connection.client() as client:
        run = ReconcileRun(client, Terminal.of_process(), plan, asked, csv_path=csv, shown_max=show)
        return run.run(InputFile(file, format), as_json=json)
