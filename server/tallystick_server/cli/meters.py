"""`tallystick meters`: named questions over events."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from .asking import AsJson, From, TimeZone, To, assignments, grouped, sure
from .connection import LOCAL, Connection
from .failure import BadUse
from .listing import Field, Listing, show_item
from .meter_options import NO_OPTIONS, MeterOptions
from .terminal import Terminal

app = App(
    name="meters",
    help="Define, change, preview and archive meters.",
    help_epilogue="Examples:\n  tallystick meters list\n"
    "  tallystick meters create tokens --event-type completion --aggregation sum --field properties.tokens",
)

_LISTING: Final = Listing(
    "/v1/meters",
    (
        Field("key", "key"),
        Field("name", "name"),
        Field("event type", "event_type"),
        Field("aggregation", "aggregation"),
        Field("field", "field", usual="value"),
        Field("unit", "unit"),
        Field("dimensions", "dimensions"),
        Field("filter", "filter"),
        Field("archived at", "archived_at", moment=True),
    ),
    empty="No meters yet. `tallystick meters create --help` shows how to make one; it covers past events too.",
)

Key = Annotated[str, Parameter(name="KEY", help="The meter's key.")]
Name = Annotated[str | None, Parameter(help="What people call it.")]
EventType = Annotated[str | None, Parameter(help="Which events it looks at.")]
Aggregation = Annotated[
    str | None, Parameter(help="count, sum, min, max, unique, or another that `tallystick aggregators` lists.")
]
MeterField = Annotated[str | None, Parameter(name="--field", help="`value`, `customer` or `properties.NAME`.")]
Unit = Annotated[str | None, Parameter(help="What one of it is.")]
Filters = Annotated[
    tuple[str, ...], Parameter(name="--filter", help="property=value; values of one property are alternatives.")
]
Dimensions = Annotated[tuple[str, ...], Parameter(name="--dimension", help="Properties worth grouping by; repeatable.")]
Definition = Annotated[
    str | None, Parameter(name="--file", help="A JSON file with the definition (`-`: stdin); options beat it.")
]


@app.command(name="list", help_epilogue="Examples:\n  tallystick meters list\n  tallystick meters list --json")
def list_meters(
    *,
    archived: Annotated[bool, Parameter(help="Archived ones too.")] = False,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List the meters."""
    params = [("include_archived", "true")] if archived else []
    with connection.client() as client:
        _LISTING.show(client, Terminal.of_process(), params, as_json=json)
    return 0


@app.command(
    name="show", help_epilogue="Examples:\n  tallystick meters show tokens\n  tallystick meters show tokens --json"
)
def show_meter(key: Key, /, *, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Show one meter."""
    return _call("GET", key, connection, as_json=json)


@app.command(
    name="create",
    help_epilogue="Examples:\n"
    "  tallystick meters create tokens --event-type completion --aggregation sum --field properties.tokens --unit token\n"
    "  tallystick meters create errors --event-type call --aggregation count --filter status=500 --filter status=503\n"
    "  tallystick meters create seats --event-type seat --aggregation running_total --statistic peak\n"
    "  tallystick meters create machine-hours --event-type machine --aggregation duration --series host --timeout 3600\n"
    "  tallystick meters create tokens --file meter.json",
)
def create_meter(  # noqa: PLR0913 - one for each field
    key: Key,
    /,
    *,
    event_type: EventType = None,
    aggregation: Aggregation = None,
    name: Name = None,
    field: MeterField = None,
    filters: Filters = (),
    unit: Unit = None,
    dimensions: Dimensions = (),
    options: MeterOptions = NO_OPTIONS,
    file: Definition = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Define a meter; it covers all events, past ones too."""
    meter = definition(file, event_type, aggregation, name, field, filters, unit, dimensions) | options.given()
    meter["key"] = key
    for needed in ("event_type", "aggregation"):
        if needed not in meter:
            raise BadUse(f"give --{needed.replace('_', '-')}, or --file with the definition")
    meter.setdefault("name", key)
    with connection.client() as client:
        body = client.call("POST", "/v1/meters", json=meter)
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="update",
    help_epilogue="Examples:\n  tallystick meters update tokens --name 'Tokens, all models'\n"
    "  tallystick meters update tokens --dimension region --dimension model",
)
def update_meter(  # noqa: PLR0913 - one for each field
    key: Key,
    /,
    *,
    event_type: EventType = None,
    aggregation: Aggregation = None,
    name: Name = None,
    field: MeterField = None,
    filters: Filters = (),
    unit: Unit = None,
    dimensions: Dimensions = (),
    options: MeterOptions = NO_OPTIONS,
    file: Definition = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Change fields of a meter; those not given stay as they are."""
    change = definition(file, event_type, aggregation, name, field, filters, unit, dimensions) | options.given()
    if not change:
        raise BadUse("give at least one field to change")
    return _call("PATCH", key, connection, change=change, as_json=json)


@app.command(
    name="archive",
    help_epilogue="Examples:\n  tallystick meters archive tokens\n  tallystick meters archive tokens --yes",
)
def archive_meter(
    key: Key,
    /,
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")] = False,
    connection: Connection = LOCAL,
) -> int:
    """Archive a meter: it leaves the list, its usage stays readable, its key stays taken."""
    from .client import segment

    sure(f"Archive the meter {key!a}?", yes=yes)
    with connection.client() as client:
        client.call("DELETE", f"/v1/meters/{segment(key)}")
    Terminal.of_process().note(f"Archived {key}.")
    return 0


@app.command(
    name="preview",
    help_epilogue="Examples:\n"
    "  tallystick meters preview --event-type call --aggregation unique --field customer --from -1d --window hour\n"
    "  tallystick meters preview --file meter.json --from -7d --group-by region",
)
def preview_meter(  # noqa: PLR0913 - a meter and a question
    *,
    event_type: EventType = None,
    aggregation: Aggregation = None,
    field: MeterField = None,
    filters: Filters = (),
    options: MeterOptions = NO_OPTIONS,
    file: Definition = None,
    start: From = "-30d",
    end: To = None,
    window: Annotated[
        Literal["minute", "hour", "day", "week", "month", "total"], Parameter(name=["--window", "-w"])
    ] = "total",
    timezone: TimeZone = "UTC",
    group_by: Annotated[tuple[str, ...], Parameter(name=["--group-by", "-g"], help="`customer` or a property.")] = (),
    limit: Annotated[int | None, Parameter(name=["--limit", "-l"], help="Only so many groups.")] = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Ask a meter that is not saved what it would have counted."""
    from .usage import usage_params
    from .usage_table import show_usage

    meter = definition(file, event_type, aggregation, None, field, filters, None, ()) | options.given()
    meter = {"key": "preview", "name": "preview"} | meter
    for needed in ("event_type", "aggregation"):
        if needed not in meter:
            raise BadUse(f"give --{needed.replace('_', '-')}, or --file with the definition")
    params = usage_params(
        start=start,
        end=end,
        timezone=timezone,
        window=window,
        group_by=group_by,
        filters=(),
        order="desc",
        limit=limit,
        fill="none",
        as_of=None,
    )
    query: dict[str, Any] = dict(params)
    if "group_by" in query:
        query["group_by"] = query["group_by"].split(",")
    if limit is not None:
        query["limit"] = limit
    with connection.client() as client:
        body = client.call("POST", "/v1/meters/preview", json={"meter": meter, "query": query})
    terminal = Terminal.of_process()
    if json:
        terminal.json(body)
    else:
        show_usage(terminal, body, zone_name=timezone, totals_only=False)
    return 0


def definition(
    file: str | None,
    event_type: str | None,
    aggregation: str | None,
    name: str | None,
    field: str | None,
    filters: tuple[str, ...],
    unit: str | None,
    dimensions: tuple[str, ...],
) -> dict[str, Any]:  # Any: JSON that the appliance checks
    """Return the fields of a meter that were given: those of the file, and the options over them."""
    found = _read_definition(file) if file is not None else {}
    options = {
        "event_type": event_type,
        "aggregation": aggregation,
        "name": name,
        "field": field,
        "unit": unit,
        "filter": grouped(assignments("--filter", filters)) or None,
        "dimensions": [part.strip() for text in dimensions for part in text.split(",") if part.strip()] or None,
    }
    return found | {option: value for option, value in options.items() if value is not None}


def _read_definition(file: str) -> dict[str, Any]:  # Any: as above
    import sys
    from decimal import Decimal
    from pathlib import Path

    import msgspec

    text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadUse(f"--file: {file!a} holds no JSON object: {error}") from error


def _call(
    method: str, key: str, connection: Connection, *, as_json: bool, change: dict[str, Any] | None = None
) -> int:  # Any: as above
    import msgspec

    from .client import segment

    with connection.client() as client:
        body = client.call(method, f"/v1/meters/{segment(key)}", json=msgspec.UNSET if change is None else change)
    show_item(Terminal.of_process(), body, as_json=as_json)
    return 0
