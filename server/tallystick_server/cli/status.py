"""`tallystick status`: what a running appliance is doing, in one answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from cyclopts import App

from .asking import AsJson
from .connection import LOCAL, Connection
from .terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .terminal import Cell

app = App(
    name="status",
    help="Show what a running appliance is doing.",
    help_epilogue="Examples:\n  tallystick status\n  tallystick status --json | jq .since_start\n\n"
    "Exit 0: it takes writes. Exit 1: it does not, and says why.",
)
# What a person reads of a larger answer, in this order: where it is, and what it is called.
_FACTS: Final = (
    ("version", "version"),
    ("started_at", "started at"),
    ("events", "events"),
    ("head.position", "log position"),
    ("head.block", "log block"),
    ("head.hash", "log hash"),
    ("since_start.accepted", "accepted since start"),
    ("since_start.duplicates", "duplicates since start"),
    ("since_start.conflicts", "conflicts since start"),
    ("since_start.rejected", "rejected since start"),
    ("tail_events", "events in no segment yet"),
    ("queued_events", "events that wait"),
    ("storage.disk_free_bytes", "disk free bytes"),
    ("storage.segments", "segments"),
    ("storage.segments_bytes", "segments bytes"),
    ("storage.partials_disk_bytes", "partials bytes"),
    ("deliveries_waiting", "deliveries that wait"),
    ("channels_disabled", "channels disabled"),
    ("verification.running.done", "verification at position"),
    ("verification.last.ended_at", "last verified at"),
    ("verification.last.outcome", "last verification"),
)


@app.default
def status(*, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Show counts since the start, where the log ends, what waits, what room there is, and the last verification."""
    from .client import decode_object

    with connection.client() as client:
        body = client.get("/v1/status")
    terminal, answer = Terminal.of_process(), decode_object(body)
    if json:
        terminal.json(body)
    else:
        terminal.facts([("state", str(answer.get("reason"))), *_facts(answer)])
    return 0 if answer.get("ready") is True else 1


def _facts(answer: dict[str, Any]) -> Iterator[tuple[str, Cell]]:  # Any: decoded JSON
    for path, title in _FACTS:
        value: Any = answer  # Any: as above
        for name in path.split("."):
            value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int | Decimal):
            yield title, value
