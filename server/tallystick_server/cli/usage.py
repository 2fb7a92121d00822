"""`tallystick usage`: how much was used, by window and group, every digit."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from .asking import AsJson, From, TimeZone, To, assignments, range_params
from .connection import LOCAL, Connection
from .failure import BadUse
from .terminal import Terminal

app = App(
    name="usage",
    help="Ask a meter how much was used.",
    help_epilogue="Examples:\n  tallystick usage tokens --from -7d --window day\n"
    "  tallystick usage tokens --from 2026-11-01 --to 2026-12-01 --timezone Europe/Berlin --group-by customer --limit 10\n"
    "  tallystick usage requests --from -1h --window minute --filter region=eu --filter region=us --json",
)

Window = Annotated[
    Literal["minute", "hour", "day", "week", "month", "total"],
    Parameter(name=["--window", "-w"], help="How the range is cut; weeks start on Monday."),
]
GroupBy = Annotated[
    tuple[str, ...], Parameter(name=["--group-by", "-g"], help="`customer` or a property; repeat it, or use commas.")
]
Filter = Annotated[tuple[str, ...], Parameter(help="name=value; values of one name are alternatives.")]


def usage_params(  # noqa: PLR0913 - one for each parameter of the question
    *,
    start: str | None,
    end: str | None,
    timezone: str,
    window: str,
    group_by: tuple[str, ...],
    filters: tuple[str, ...],
    order: str,
    limit: int | None,
    fill: str,
    as_of: int | None,
) -> list[tuple[str, str]]:
    """Return the question as the API's parameters. Raises `BadUse`."""
    if limit is not None and limit < 1:
        raise BadUse("--limit: give at least 1")
    params = [*range_params(start, end, timezone), ("window", window), ("timezone", timezone)]
    names = [name.strip() for text in group_by for name in text.split(",") if name.strip()]
    if names:
        params.append(("group_by", ",".join(names)))
    params += [(f"filter[{name}]", value) for name, value in assignments("--filter", filters)]
    params += [("order", order), ("fill", fill)]
    if limit is not None:
        params.append(("limit", str(limit)))
    if as_of is not None:
        params.append(("as_of", str(as_of)))
    return params


@app.default
def usage(  # noqa: PLR0913 - one for each parameter of the question
    meter: Annotated[str, Parameter(name="METER", help="The meter's key.")],
    /,
    *,
    start: From = "-30d",
    end: To = None,
    window: Window = "total",
    timezone: TimeZone = "UTC",
    group_by: GroupBy = (),
    filters: Annotated[tuple[str, ...], Parameter(name=["--filter", "-f"], help="name=value; repeatable.")] = (),
    order: Annotated[Literal["desc", "asc"], Parameter(help="Largest or smallest groups first.")] = "desc",
    limit: Annotated[int | None, Parameter(name=["--limit", "-l"], help="Only so many groups.")] = None,
    fill: Annotated[Literal["none", "zero"], Parameter(help="`zero`: a row for every window of every group.")] = "none",
    as_of: Annotated[int | None, Parameter(help="A log position: the answer as it was known then.")] = None,
    totals: Annotated[bool, Parameter(help="Only the totals of the range.")] = False,
    csv: Annotated[bool, Parameter(help="The rows as CSV, as the API writes it.")] = False,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Ask a meter how much was used."""
    from .client import segment
    from .usage_table import show_usage

    if csv and (json or totals):
        raise BadUse("--csv answers rows; give it without --json and --totals")
    params = usage_params(
        start=start,
        end=end,
        timezone=timezone,
        window=window,
        group_by=group_by,
        filters=filters,
        order=order,
        limit=limit,
        fill=fill,
        as_of=as_of,
    )
    terminal = Terminal.of_process()
    with connection.client() as client:
        headers = {"Accept": "text/csv"} if csv else None
        body = client.get(f"/v1/meters/{segment(meter)}/usage", params, headers=headers)
    if csv:
        terminal.out.write(body.decode())
    elif json:
        terminal.json(body)
    else:
        show_usage(terminal, body, zone_name=timezone, totals_only=totals)
    return 0
