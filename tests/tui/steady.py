"""What differs between two runs of the same appliance, held still for pictures: its address, room on disk, how long things took."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import httpx
import msgspec

from tallystick_tui.app import DashboardApp
from tallystick_tui.connection.appliance_client import NO_BODY, ApplianceClient, Params
from tallystick_tui.viewer import Viewer
from tests.appliance import Appliance

from .conftest import fixed_now

DISK_FREE_BYTES = 64 << 30
ADDRESS = "http://127.0.0.1:7070"
ROUND_TRIP_MS = 2.0


class SteadyTransport(httpx.AsyncBaseTransport):
    """Asks the appliance at the port that it really has, and changes two figures of its status; everything else passes as it is."""

    def __init__(self, url: str, *, disk_free_bytes: int = DISK_FREE_BYTES) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._port = httpx.URL(url).port
        self._disk_free_bytes = disk_free_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=self._port)
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


class SteadyClient(ApplianceClient):
    """A client whose answers all took as long."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: object = NO_BODY,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        try:
            return await super().call(method, path, params=params, body=body, headers=headers, timeout_s=timeout_s)
        finally:
            self.round_trip_ms = ROUND_TRIP_MS


def steady_dashboard(
    appliance: Appliance,
    *,
    is_plain: bool = False,
    disk_free_bytes: int = DISK_FREE_BYTES,
    api_key: str | None = None,
    name: str = "test",
    theme: str | None = None,
) -> DashboardApp:
    """Return a dashboard for pictures."""
    transport = SteadyTransport(appliance.url, disk_free_bytes=disk_free_bytes)
    client = SteadyClient(ADDRESS, api_key or appliance.admin_key, transport=transport)
    viewer = Viewer(zone=ZoneInfo("Europe/Berlin"), now=fixed_now, is_plain=is_plain)
    return DashboardApp(client, viewer=viewer, name=name, theme=theme)
