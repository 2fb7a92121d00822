"""`tallystick signals`: conditions on figures, defined, tried, looked at and snoozed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from .asking import (
    AsJson,
    From,
    Limit,
    TimeZone,
    To,
    Yes,
    assignments,
    at_least_one,
    moment_as_sent,
    range_params,
    sure,
    without_none,
)
from .clearing import CLEAR, with_cleared
from .connection import LOCAL, Connection
from .failure import BadUse
from .listing import Field, Listing, show_item
from .signal_fields import NEVER, NOBODY, NOT_WATCHED, File, Told, Watched, When, given_fields, whole_signal
from .terminal import Terminal

app = App(
    name="signals",
    help="Define signals, try them on the past, see where they stand, and snooze them.",
    help_epilogue="Examples:\n  tallystick signals create cap --meter tokens --each --limit-of 100000 \\\n"
    "      --percent 80,100 --channel ops\n"
    "  tallystick signals preview --meter tokens --each --period day \\\n"
    "      --change-percent 50 --direction down\n"
    "  tallystick signals fired\n  tallystick signals snooze cap --customer acme --for 2h",
)

Key = Annotated[str, Parameter(name="KEY", help="The signal's key.")]
Clearable = Literal["name", "customer", "filter", "group-by", "timezone", "channel", "template", "owner"]
Customer = Annotated[str | None, Parameter(name=["--customer", "-c"], help="Only those about this customer.")]

_SIGNALS: Final = Listing(
    "/v1/signals",
    (
        Field("key", "key"),
        Field("name", "name"),
        Field("meter", "meter"),
        Field("scope", "scope"),
        Field("period", "period"),
        Field("condition", "condition"),
        Field("channels", "channels"),
        Field("enabled", "enabled"),
        Field("snoozed until", "snoozed_until", moment=True),
        Field("timezone", "timezone", for_pipes_only=True),
    ),
    empty="There are no signals yet. `tallystick signals create --help` shows how to make one.",
)
_SUBJECT: Final = (Field("customer", "customer"), Field("group", "group"))
_FIGURES: Final = (
    Field("figure", "figure", numeric=True),
    Field("threshold", "threshold", numeric=True),
    Field("percent", "percent", numeric=True),
    Field("before", "base", numeric=True),
    Field("change", "change", numeric=True),
)
_HISTORY: Final = (
    Field("at", "at", moment=True),
    Field("what", "kind"),
    Field("reason", "reason"),
    *_SUBJECT,
    Field("level", "level", numeric=True),
    *_FIGURES,
    Field("period", "period", for_pipes_only=True),
    Field("id", "id", for_pipes_only=True),
)
_STATES: Final = (
    *_SUBJECT,
    Field("state", "state"),
    Field("level", "level", numeric=True),
    Field("since", "since", moment=True),
    Field("snoozed until", "snoozed_until", moment=True),
)
_FIRED: Final = Listing(
    "/v1/signals/fired",
    (
        Field("since", "since", moment=True),
        Field("signal", "signal"),
        *_SUBJECT,
        Field("state", "state"),
        Field("level", "level", numeric=True),
        *_FIGURES,
    ),
    empty="Nothing is fired.",
)


@app.command(
    name="list",
    help_epilogue="Examples:\n  tallystick signals list\n  tallystick signals list --meter tokens --json",
)
def list_signals(
    *,
    meter: Annotated[str | None, Parameter(name=["--meter", "-m"], help="Only those of this meter.")] = None,
    limit: Limit = 1_000,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List the signals."""
    return _list(_SIGNALS, {"meter": meter}, limit, connection, as_json=json)


@app.command(
    name="show", help_epilogue="Examples:\n  tallystick signals show cap\n  tallystick signals show cap --json"
)
def show_signal(key: Key, /, *, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Show one signal."""
    with connection.client() as client:
        show_item(Terminal.of_process(), client.get(_path(key)), as_json=json)
    return 0


@app.command(
    name="create",
    help_epilogue="Examples:\n"
    "  tallystick signals create cap --meter tokens --each --limit-of 100000 \\\n"
    "      --percent 50,80,100 --channel ops\n"
    "  tallystick signals create errors --meter calls --filter status=500 \\\n"
    "      --period hour --at-least 100 --channel ops\n"
    "  tallystick signals create drop --meter calls --each --period week \\\n"
    "      --change-percent 50 --direction down --floor 1000\n"
    "  tallystick signals create gone --meter calls --each --silent-for 86400 \\\n"
    "      --timezone customer\n"
    "  tallystick signals create cap --file signal.json",
)
def create_signal(
    key: Key,
    /,
    *,
    watched: Watched = NOT_WATCHED,
    when: When = NEVER,
    told: Told = NOBODY,
    file: File = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Define a signal. What is past its threshold already fires at once."""
    signal = whole_signal(file, watched, when, told) | {"key": key}
    with connection.client() as client:
        body = client.call("POST", "/v1/signals", json=signal)
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="update",
    help_epilogue="Examples:\n  tallystick signals update cap --limit-of 200000 --percent 80,100\n"
    "  tallystick signals update cap --channel ops,mail\n  tallystick signals update cap --disable\n"
    "  tallystick signals update cap --clear template --clear filter",
)
def update_signal(  # noqa: PLR0913 - one for each option
    key: Key,
    /,
    *,
    watched: Watched = NOT_WATCHED,
    when: When = NEVER,
    told: Told = NOBODY,
    file: File = None,
    enable: Annotated[bool, Parameter(help="Look at it again.")] = False,
    disable: Annotated[bool, Parameter(help="Look at it no more.")] = False,
    clear: Annotated[tuple[Clearable, ...], CLEAR] = (),
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Change fields of a signal; those not given stay. A change of what is watched arms everybody again."""
    if enable and disable:
        raise BadUse("--enable and --disable exclude each other: give one of them")
    change = given_fields(file, watched, when, told) | ({"enabled": enable} if enable or disable else {})
    change = with_cleared(change, clear)
    if not change:
        raise BadUse("give at least one field to change")
    with connection.client() as client:
        body = client.call("PATCH", _path(key), json=change)
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="delete",
    help_epilogue="Examples:\n  tallystick signals delete cap\n  tallystick signals delete cap --yes",
)
def delete_signal(key: Key, /, *, yes: Yes = False, connection: Connection = LOCAL) -> int:
    """Delete a signal; what it did stays in the log."""
    sure(f"Delete the signal {key!a}?", yes=yes)
    with connection.client() as client:
        client.call("DELETE", _path(key))
    Terminal.of_process().note(f"Deleted {key}.")
    return 0


@app.command(
    name="preview",
    help_epilogue="Examples:\n"
    "  tallystick signals preview cap --from -30d\n"
    "  tallystick signals preview --meter tokens --each --period day \\\n"
    "      --at-least 5000\n"
    "  tallystick signals preview --meter calls --period week --change-percent 50 \\\n"
    "      --direction down --top 3 --json",
)
def preview_signal(  # noqa: PLR0913 - one for each option
    key: Annotated[
        str | None, Parameter(name="KEY", help="A signal that is saved; options over it, or without it.")
    ] = None,
    /,
    *,
    watched: Watched = NOT_WATCHED,
    when: When = NEVER,
    told: Told = NOBODY,
    file: File = None,
    start: From = None,
    end: To = None,
    limit: Annotated[
        int, Parameter(name=["--limit", "-l"], help="How many steps at most.", validator=at_least_one)
    ] = 100,
    top: Annotated[int, Parameter(help="How many charts at most.")] = 3,
    chart: Annotated[bool, Parameter(name="--chart", help="Charts in a pipe too.")] = False,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Say when a signal would have fired over the past (the last 90 days), to the instant; nothing is saved."""
    from .client import decode_object
    from .signal_preview import show_preview

    signal = whole_signal(file, watched, when, told) if key is None else given_fields(file, watched, when, told)
    with connection.client() as client:
        if key is not None:
            saved = decode_object(client.get(_path(key)))
            signal = {name: saved[name] for name in _ASKED} | signal
        zone = signal.get("timezone", "UTC")
        zone = "UTC" if zone == "customer" else zone
        asked: dict[str, Any] = {"signal": signal, "limit": limit, "top": top}  # Any: JSON
        asked |= dict(range_params(start, end, zone))
        body = client.call("POST", "/v1/signals/preview", json=asked)
    if json:
        Terminal.of_process().json(body)
    else:
        show_preview(Terminal.of_process(), body, zone_name=zone, with_charts=chart)
    return 0


# What of a saved signal says when it fires.
_ASKED: Final = ("meter", "measure", "scope", "filter", "group_by", "period", "timezone", "condition")


@app.command(
    name="snooze",
    help_epilogue="Examples:\n  tallystick signals snooze cap --for 2h\n"
    "  tallystick signals snooze cap --customer acme --until 2026-12-01\n  tallystick signals snooze cap --customer acme --wake",
)
def snooze_signal(  # noqa: PLR0913 - one for each option
    key: Key,
    /,
    *,
    customer: Annotated[
        str | None, Parameter(name=["--customer", "-c"], help="Only messages about this customer.")
    ] = None,
    group: Annotated[tuple[str, ...], Parameter(help="property=value, for each that the signal is grouped by.")] = (),
    length: Annotated[str | None, Parameter(name="--for", help="For how long: 30m, 2h, 7d.")] = None,
    until: Annotated[str | None, Parameter(help="Until when: RFC 3339 or a date.")] = None,
    wake: Annotated[bool, Parameter(name="--wake", help="Tell again from now on.")] = False,
    timezone: TimeZone = "UTC",
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Hold the messages of a signal back for a while; what it does is still kept in its history."""
    if sum((length is not None, until is not None, wake)) != 1:
        raise BadUse("give one of --for 2h, --until TIME and --wake")
    asked: dict[str, Any] = {"group": dict(assignments("--group", group))}  # Any: JSON
    if customer is not None:
        asked["customer"] = customer
    if length is not None:
        asked["for_s"] = _seconds(length)
    else:
        asked["until"] = None if until is None else moment_as_sent("--until", until, timezone)
    with connection.client() as client:
        body = client.call("POST", f"{_path(key)}/snooze", json=asked)
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="history",
    help_epilogue="Examples:\n  tallystick signals history cap\n  tallystick signals history cap --customer acme --kind fired --json",
)
def list_history(
    key: Key,
    /,
    *,
    customer: Customer = None,
    kind: Annotated[
        Literal["fired", "recovered", "snoozed", "woken"] | None, Parameter(help="Only steps of this kind.")
    ] = None,
    limit: Limit = 100,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List what a signal did, newest first."""
    listing = Listing(f"{_path(key)}/history", _HISTORY, empty="It did nothing yet.")
    return _list(listing, {"customer": customer, "kind": kind}, limit, connection, as_json=json)


@app.command(
    name="states",
    help_epilogue="Examples:\n  tallystick signals states cap\n  tallystick signals states cap --json",
)
def list_states(key: Key, /, *, limit: Limit = 100, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """List where a signal stands for everybody about whom it ever took a step; all others are armed."""
    listing = Listing(f"{_path(key)}/states", _STATES, empty="It is armed for everybody.")
    return _list(listing, {}, limit, connection, as_json=json)


@app.command(
    name="fired",
    help_epilogue="Examples:\n  tallystick signals fired\n  tallystick signals fired --signal cap --customer acme --json",
)
def list_fired(
    *,
    signal: Annotated[str | None, Parameter(help="Only those of this signal.")] = None,
    customer: Customer = None,
    limit: Limit = 100,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List who is past a threshold now, over all signals, newest first."""
    return _list(_FIRED, {"signal": signal, "customer": customer}, limit, connection, as_json=json)


def _list(
    listing: Listing, given: Mapping[str, str | None], limit: int, connection: Connection, *, as_json: bool
) -> int:
    params = list(without_none(given).items())
    with connection.client() as client:
        listing.show(client, Terminal.of_process(), params, limit=limit, as_json=as_json)
    return 0


def _path(key: str) -> str:
    from .client import segment

    return f"/v1/signals/{segment(key)}"


def _seconds(length: str) -> int:
    import re

    found = re.fullmatch(r"([0-9]{1,9})([smhd])", length, re.ASCII)
    if found is None or not int(found[1]):
        raise BadUse(f"--for: {length!a} is no length of time such as 30m, 2h or 7d")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[found[2]]
