"""An appliance with signals and a channel to a receiver on loopback."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.meter import Meter
from tallystick.signals.signal import Signal
from tallystick_server.present import SystemClock, SystemEntropy
from tests.appliance import Appliance
from tests.server.outgoing.receiver import SECRET

LOOPBACK = {"allowed_networks": "127.0.0.0/8"}


def watch(appliance: Appliance, url: str, *, meters: Sequence[Meter], signals: Sequence[Signal]) -> None:
    """Define a channel `ops`, meters and signals; the appliance runs afterwards, as it did before."""
    made = {"key": "ops", "kind": "webhook", "url": url, "secret": SECRET}
    appliance.client.post("/v1/channels", json=made).raise_for_status()
    appliance.terminate()
    engine = Engine.open(appliance.data, clock=SystemClock(), entropy=SystemEntropy(), settings=EngineSettings())
    try:
        for meter in meters:
            engine.put_meter(meter, create=True)
        for signal in signals:
            engine.signals.put(signal, create=True)
    finally:
        engine.close()
    appliance.start()
