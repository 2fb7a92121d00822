"""`tallystick meters`: named questions over events."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from .asking import AsJson, From, Limit, TimeZone, To, Yes, listed, range_params, sure, without_none
from .clearing import CLEAR, with_cleared
from .connection import LOCAL, Connection
from .failure import BadUse
from .listing import Field, Listing, show_item
from .meter_fields import NO_FIELDS, MeterFields
from .preview import preview
from .terminal import Terminal

app = App(
    name="meters",
    help="Define, change, preview and archive meters.",
    help_epilogue="Examples:\n  tallystick meters list\n"
    "  tallystick meters create tokens --event-type completion --aggregation sum \\\n"
    "      --field properties.tokens",
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
Clearable = Literal["field", "fields", "filter", "series", "timeout", "statistic", "option", "unit", "dimension"]
Dimensions = Annotated[tuple[str, ...], Parameter(name="--dimension", help="Properties worth grouping by; repeatable.")]


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
    "  tallystick meters create tokens --event-type completion --aggregation sum \\\n"
    "      --field properties.tokens --unit token\n"
    "  tallystick meters create errors --event-type call --aggregation count \\\n"
    "      --filter status=500 --filter status=503\n"
    "  tallystick meters create seats --event-type seat \\\n"
    "      --aggregation running_total --statistic peak\n"
    "  tallystick meters create machine-hours --event-type machine \\\n"
    "      --aggregation duration --series host --timeout 3600\n"
    "  tallystick meters create tokens --file meter.json",
)
def create_meter(
    key: Key,
    /,
    *,
    fields: MeterFields = NO_FIELDS,
    name: Name = None,
    dimensions: Dimensions = (),
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Define a meter; it covers all events, past ones too."""
    meter = fields.whole() | _described(name, dimensions) | {"key": key}
    meter.setdefault("name", key)
    with connection.client() as client:
        body = client.call("POST", "/v1/meters", json=meter)
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="update",
    help_epilogue="Examples:\n  tallystick meters update tokens --name 'Tokens, all models'\n"
    "  tallystick meters update tokens --dimension region --dimension model\n"
    "  tallystick meters update tokens --clear unit",
)
def update_meter(
    key: Key,
    /,
    *,
    fields: MeterFields = NO_FIELDS,
    name: Name = None,
    dimensions: Dimensions = (),
    clear: Annotated[tuple[Clearable, ...], CLEAR] = (),
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Change fields of a meter; those not given stay as they are."""
    change = with_cleared(fields.given() | _described(name, dimensions), clear)
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
    yes: Yes = False,
    connection: Connection = LOCAL,
) -> int:
    """Archive a meter: it leaves the list, its usage stays readable, its key stays taken."""
    from .client import segment

    sure(f"Archive the meter {key!a}?", yes=yes)
    with connection.client() as client:
        client.call("DELETE", f"/v1/meters/{segment(key)}")
    Terminal.of_process().note(f"Archived {key}.")
    return 0


app.command(preview, name="preview", help="Ask a meter that is not saved what it would have counted.")

_VERSIONS: Final = (
    Field("version", "version", numeric=True),
    Field("from position", "position", numeric=True),
    Field("changed at", "updated_at", moment=True),
    Field("name", "name"),
    Field("event type", "event_type"),
    Field("aggregation", "aggregation"),
    Field("field", "field", usual="value"),
    Field("filter", "filter"),
    Field("archived at", "archived_at", moment=True),
)
_SKIPPED: Final = (
    Field("time", "time", moment=True),
    Field("customer", "customer"),
    Field("id", "id"),
    Field("source", "source"),
    Field("reasons", "reasons"),
)


@app.command(
    name="versions",
    help_epilogue="Examples:\n  tallystick meters versions tokens\n  tallystick meters versions tokens --json",
)
def list_versions(key: Key, /, *, limit: Limit = 100, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """List what a meter was, newest first, each with the position of the log from which it was so."""
    from .client import segment

    listing = Listing(f"/v1/meters/{segment(key)}/versions", _VERSIONS, empty="No versions.")
    with connection.client() as client:
        listing.show(client, Terminal.of_process(), [("include_archived", "true")], limit=limit, as_json=json)
    return 0


@app.command(
    name="skipped",
    help_epilogue="Examples:\n  tallystick meters skipped tokens\n  tallystick meters skipped tokens --from -7d --limit 20 --json",
)
def list_skipped(
    key: Key,
    /,
    *,
    start: From = "-30d",
    end: To = None,
    timezone: TimeZone = "UTC",
    limit: Limit = 100,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List events that a meter would count if they had what it reads, newest first, each with the reasons."""
    from .client import segment

    params = [*range_params(start, end, timezone), ("include_archived", "true")]
    listing = Listing(
        f"/v1/meters/{segment(key)}/skipped",
        _SKIPPED,
        empty="Every event of its type that passes its filter counts in this range.",
    )
    with connection.client() as client:
        listing.show(client, Terminal.of_process(), params, limit=limit, as_json=json)
    return 0


@app.command(
    name="dimensions",
    help_epilogue="Examples:\n  tallystick meters dimensions tokens\n  tallystick meters dimensions tokens --from -7d --values 5\n"
    "  tallystick meters dimensions tokens --name region --values 1000 --json",
)
def list_dimensions(
    key: Key,
    /,
    *,
    start: From = None,
    end: To = None,
    timezone: TimeZone = "UTC",
    name: Annotated[str | None, Parameter(help="Only this one: `customer` or a property.")] = None,
    values: Annotated[int, Parameter(help="How many values of each, most frequent first; 0 to 1,000.")] = 20,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List by what a meter can be grouped and filtered, as its newest 50,000 events show, and how many events have each value."""
    from .client import segment
    from .dimensions_table import show_dimensions

    params = [*range_params(start, end, timezone), ("include_archived", "true"), ("values", str(values))]
    if name is not None:
        params.append(("name", name))
    with connection.client() as client:
        body = client.get(f"/v1/meters/{segment(key)}/dimensions", params)
    show_dimensions(Terminal.of_process(), body, as_json=json)
    return 0


def _described(name: str | None, dimensions: tuple[str, ...]) -> dict[str, Any]:  # Any: JSON that the appliance checks
    """Return what people are told of a meter, as far as it was given."""
    return without_none({"name": name, "dimensions": listed(dimensions) or None})


def _call(
    method: str, key: str, connection: Connection, *, as_json: bool, change: dict[str, Any] | None = None
) -> int:  # Any: as above
    import msgspec

    from .client import segment

    with connection.client() as client:
        body = client.call(
            method,
            f"/v1/meters/{segment(key)}",
            # Whoever names a meter means it, archived or not.
            params=[("include_archived", "true")] if method == "GET" else (),
            json=msgspec.UNSET if change is None else change,
        )
    show_item(Terminal.of_process(), body, as_json=as_json)
    return 0
