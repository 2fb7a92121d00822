"""What the pictures show beyond the sample: signals of which some fired, a channel, keys of two programs."""

from __future__ import annotations

import time
from typing import Any

from tests.appliance import Appliance
from tests.tui.sample import fill

CHANNEL = {"key": "ops", "kind": "webhook", "url": "https://203.0.113.7/usage"}
SIGNALS: tuple[dict[str, Any], ...] = (  # Any: bodies as the API takes them
    {
        "key": "plan",
        "name": "Monthly plan",
        "meter": "tokens",
        "scope": {"customer": "*"},
        "timezone": "Europe/Berlin",
        "condition": {"type": "threshold", "limit": 500_000, "thresholds": [50, 80, 100]},
    },
    {
        "key": "store-full",
        "name": "Store nearly full",
        "meter": "storage",
        "scope": {"customer": "*"},
        "condition": {"type": "threshold", "value": 40},
    },
    {
        "key": "surge",
        "name": "Sudden surge",
        "meter": "requests",
        "scope": {"customer": "*"},
        "period": "day",
        "condition": {"type": "percent_change", "value": 80, "direction": "up", "floor": 100},
    },
    {
        "key": "silent",
        "name": "Gateway fell silent",
        "meter": "requests",
        "scope": {"customer": "acme"},
        "condition": {"type": "no_data", "silence_s": 7200},
    },
)
KEYS = (("gateway-1", ["ingest"]), ("billing", ["read"]))


def fill_for_pictures(appliance: Appliance) -> None:
    """Fill it; ends when the signals have looked at everything, so that every run gives the same log."""
    fill(appliance)
    appliance.client.post("/v1/channels", json=CHANNEL).raise_for_status()
    for signal in SIGNALS:
        appliance.client.post("/v1/signals", json=signal).raise_for_status()
        _settled(appliance)
    # Only now: nobody is there, and how long an attempt took would differ from run to run.
    for signal in SIGNALS[:3]:
        appliance.client.patch(f"/v1/signals/{signal['key']}", json={"channels": ["ops"]}).raise_for_status()
        _settled(appliance)
    for name, scopes in KEYS:
        appliance.client.post("/v1/api-keys", json={"name": name, "scopes": scopes}).raise_for_status()


def _settled(appliance: Appliance) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert time.monotonic() < deadline, "signals are behind"
        metrics = appliance.client.get("/metrics").text
        lag = next(line for line in metrics.splitlines() if line.startswith("tallystick_signal_lag_positions "))
        if float(lag.split()[1]) == 0:
            return
        time.sleep(0.05)
