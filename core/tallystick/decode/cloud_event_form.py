"""Events as CloudEvents in JSON: one, or a batch; which attribute is which field: see `cloud_event`."""

from __future__ import annotations

from .cloud_event import check_cloud_event
from .event_rules import CheckedEvent
from .fast_columns import Columns, Moment
from .json_form import JsonForm
from .json_reader import read_json
from .limits import DecodeLimits


class CloudEventForm(JsonForm):
    """`application/cloudevents+json` and `application/cloudevents-batch+json`; either takes one event or an array."""

    element_media_type = "application/cloudevents+json"

    def whole(self, body: bytes, *, limits: DecodeLimits, moment: Moment) -> Columns | None:
        """See `WireForm`."""
        del body, limits, moment
        return None

    def some(self, elements: list[bytes], *, moment: Moment) -> Columns | None:
        """See `WireForm`."""
        return None

    def one(self, element: bytes, *, moment: Moment) -> CheckedEvent:
        """See `WireForm`."""
        return check_cloud_event(read_json(element), latest=moment.latest)
