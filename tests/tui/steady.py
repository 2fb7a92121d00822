"""What differs between two runs of the same appliance on one machine, held still for pictures: room on disk, and how long a commit took."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import httpx
import msgspec

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.viewer import Viewer
from tests.appliance import Appliance

from .conftest import fixed_now

DISK_FREE_BYTES = 64 << 30


class SteadyTransport(httpx.AsyncBaseTransport):
    """Asks the appliance, and changes two figures of its status; everything else passes as it is."""

    def __init__(self, *, disk_free_bytes: int = DISK_FREE_BYTES) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._disk_free_bytes = disk_free_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._real.handle_async_request(request)
        if request.url.path != "/v1/status" or response.is_error:
            return response
        status = msgspec.json.decode(await response.aread())
        await response.aclose()
        status["storage"]["disk_free_bytes"] = self._disk_free_bytes
        status["since_start"]["commit_seconds"] = status["since_start"]["commits"] * 0.002
        return httpx.Response(200, json=status)

    async def aclose(self) -> None:
        await self._real.aclose()


def steady_dashboard(
    appliance: Appliance, *, is_plain: bool = False, disk_free_bytes: int = DISK_FREE_BYTES
) -> DashboardApp:
    """Return a dashboard for pictures."""
    transport = SteadyTransport(disk_free_bytes=disk_free_bytes)
    client = ApplianceClient(appliance.url, appliance.admin_key, transport=transport)
    viewer = Viewer(zone=ZoneInfo("Europe/Berlin"), now=fixed_now, is_plain=is_plain)
    return DashboardApp(client, viewer=viewer, name="test")
