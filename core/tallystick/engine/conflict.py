"""What the sender of a conflict is told, and what of the event is kept in quarantine."""

from __future__ import annotations

from typing import Any

import msgspec

from tallystick.event_batch import RAW_BYTES_MAX, RejectedEvent
from tallystick.event_columns import EventColumns
from tallystick.instant import Instant, format_instant
from tallystick.rejection import Code, Rejected


def conflict_rejection(columns: EventColumns, row: int, *, index: int, first_position: int) -> RejectedEvent:
    """Return the rejection of one row that has the identity, but not the content, of the event at `first_position`.

    `index` is the row's place in its request. The raw event is written anew as JSON: of a valid event only its columns were kept.
    """
    detail = (
        f"the event at position {first_position} has the same source and id, but other content; it stays as it is. "
        "Send corrections under a new id, and void the first"
    )
    rejected = Rejected(index=index, id=columns.ids[row], code=Code.CONFLICT, detail=detail)
    return RejectedEvent(rejected, _as_json(columns, row)[:RAW_BYTES_MAX])


def _as_json(columns: EventColumns, row: int) -> bytes:
    event: dict[str, Any] = {  # Any: text, and JSON that is written already
        "id": columns.ids[row],
        "type": columns.types[row],
        "customer": columns.customers[row],
        "value": msgspec.Raw(columns.values[row].encode()),
        "properties": msgspec.Raw(columns.properties[row]),
    }
    if columns.times_given[row]:
        event["time"] = format_instant(Instant(int(columns.times[row])))
    if columns.sources[row]:
        event["source"] = columns.sources[row]
    return msgspec.json.encode(event)
