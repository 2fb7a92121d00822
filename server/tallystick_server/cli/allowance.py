"""`tallystick customers allowance`: what a customer has left of its limits."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from cyclopts import Parameter

from .asking import AsJson, assignments
from .connection import LOCAL, Connection
from .listing import cell_of, show_item
from .terminal import Column, Terminal

_COLUMNS: Final = (
    ("signal", False),
    ("state", False),
    ("used", True),
    ("limit", True),
    ("remaining", True),
    ("period", False),
    ("resets_at", False),
    ("filter", False),
    ("group", False),
)
_MOMENT: Final = "resets_at"

Key = Annotated[str, Parameter(name="CUSTOMER", help="The customer, as events name it.")]
Meter = Annotated[str, Parameter(name=["--meter", "-m"], help="The meter that is limited.")]
Properties = Annotated[
    tuple[str, ...],
    Parameter(
        name="--property", help="name=value of what is to be served: limits of something else are left out; repeatable."
    ),
]


def show_allowance(
    key: Key,
    /,
    *,
    meter: Meter,
    properties: Properties = (),
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Show what a customer has left of the limits that signals set on a meter."""
    from .client import decode_object, segment

    params = [("meter", meter)]
    params += [(f"properties[{name}]", value) for name, value in assignments("--property", properties)]
    with connection.client() as client:
        body = client.get(f"/v1/customers/{segment(key)}/allowance", params)
    terminal = Terminal.of_process()
    if json:
        show_item(terminal, body, as_json=True)
        return 0
    limits = cast("list[dict[str, Any]]", decode_object(body)["limits"])  # Any: decoded JSON
    terminal.table(
        [Column(name.replace("_", " "), numeric=numeric, moment=name == _MOMENT) for name, numeric in _COLUMNS],
        [[cell_of(limit, name, for_person=terminal.for_person) for name, _ in _COLUMNS] for limit in limits],
        empty=f"No signal limits {meter} for {key}: it is unlimited.",
    )
    return 0
