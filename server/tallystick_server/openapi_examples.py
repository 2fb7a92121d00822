"""Examples in the OpenAPI document; a test sends each of them, so that they work as written."""

from __future__ import annotations

from typing import Any, Final

_EVENT: Final = {
    "id": "01JBN6P8",
    "type": "completion",
    "customer": "acme",
    "time": "2026-11-01T10:00:00.123Z",
    "value": 1,
    "properties": {"model": "large", "tokens": 812, "cached": True},
}
_LINES: Final = """{"id": "n-1", "type": "completion", "customer": "acme"}
{"id": "n-2", "type": "completion", "customer": "acme", "value": "0.25"}
"""
EVENT_BODIES: Final[dict[str, Any]] = {  # Any: JSON values
    "application/json": _EVENT,
    "application/x-ndjson": _LINES,
    "application/cloudevents+json": {
        "specversion": "1.0",
        "id": "ce-1",
        "source": "gateway-1",
        "type": "completion",
        "subject": "acme",
        "time": "2026-11-01T10:00:00Z",
        "data": {"tokens": 812, "model": "large"},
    },
    "application/cloudevents-batch+json": [
        {
            "specversion": "1.0",
            "id": "ce-2",
            "source": "gateway-1",
            "type": "completion",
            "subject": "acme",
            "data": {"tokens": 40},
        }
    ],
}
LIST_BODIES: Final[dict[str, Any]] = {  # Any: JSON values
    "application/json": [_EVENT, {"id": "01JBN6P9", "value": 2}, "01JBN6PA"],
    "application/x-ndjson": """{"id": "n-1", "type": "completion", "customer": "acme"}
{"id": "n-2", "value": "0.25"}
"n-3"
""",
}
REQUEST_EXAMPLES: Final[dict[str, Any]] = {  # Any: JSON values
    "voidEvents": {"events": [{"id": "01JBN6P8"}], "reason": "sent by a test run", "if_missing": "remember"},
    "createCustomer": {"key": "acme", "name": "Acme Ltd", "metadata": {"plan": "pro"}, "time_zone": "Europe/Berlin"},
    "updateCustomer": {"name": "Acme Limited", "metadata": {"plan": None}},
    "createChannel": {
        "key": "ops",
        "kind": "webhook",
        "url": "https://hooks.example.com/tallystick",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    },
    "updateChannel": {"name": "Operations", "enabled": True},
    "createSignal": {
        "key": "spend-cap",
        "name": "Monthly cap",
        "meter": "tokens",
        "measure": "usage",
        "scope": {"customer": "*"},
        "period": "month",
        "condition": {"type": "threshold", "limit": 100000, "thresholds": [50, 80, 100]},
        "channels": ["ops"],
        "enabled": True,
    },
    "updateSignal": {"condition": {"limit": 200000}, "timezone": "Europe/Berlin"},
    "previewSignal": {
        "signal": {
            "meter": "tokens",
            "scope": {"customer": "*"},
            "period": "day",
            "condition": {"type": "percent_change", "value": 50, "direction": "down"},
        },
        "from": "2026-11-01T00:00:00Z",
    },
    "snoozeSignal": {"customer": "acme", "for_s": 3600},
    "createApiKey": {"name": "gateway-1", "scopes": ["ingest"]},
    "createMeter": {
        "key": "tokens",
        "name": "Tokens",
        "event_type": "completion",
        "aggregation": "sum",
        "field": "properties.tokens",
        "filter": {"model": ["large", "small"]},
        "unit": "token",
        "dimensions": ["region", "model"],
    },
    "updateMeter": {"name": "Tokens, all models", "filter": {"model": None}},
    "previewMeter": {
        "meter": {"event_type": "completion", "aggregation": "sum", "field": "properties.tokens"},
        "query": {"from": "2026-11-01T00:00:00Z", "window": "day", "group_by": ["customer"]},
    },
    "queryUsage": {
        "queries": [{"meter": "tokens", "from": "2026-11-01T00:00:00Z", "window": "total", "group_by": ["customer"]}]
    },
}
