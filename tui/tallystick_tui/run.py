"""Start the dashboard in this terminal."""

from __future__ import annotations

from . import collector
from .app import DashboardApp
from .connection.appliance_client import ApplianceClient
from .viewer import Viewer


def run_dashboard(url: str, api_key: str | None, *, name: str | None = None, viewer: Viewer | None = None) -> None:
    """Show the appliance at `url` until the person quits; all that the process does from here on. `collector.hold` came before."""
    app = DashboardApp(ApplianceClient(url, api_key), viewer=viewer, name=name)
    app.after_opening = collector.settle
    app.run()
