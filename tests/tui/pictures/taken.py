"""One picture of one scene, of an appliance at a fixed hour."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tests.appliance import Appliance
from tests.tui.conftest import FIXED_COMMAND
from tests.tui.steady import steady_dashboard

from .scenes import Scene
from .svg import kept

ROOT: Final = Path(__file__).resolve().parent.parent.parent.parent
FOLDER: Final = ROOT / "docs" / "pictures"


def fixed_appliance(directory: Path) -> Appliance:
    """Return an appliance whose hour stands still; enter it to start it."""
    settings = {"allowed_networks": "203.0.113.0/24"}
    return Appliance(directory, settings=settings, command=FIXED_COMMAND, environment={"PYTHONPATH": str(ROOT)})


async def taken(appliance: Appliance, scene: Scene) -> str:
    """Return the picture as SVG."""
    # Whoever takes it may have colours turned off for themselves.
    os.environ.pop("NO_COLOR", None)
    app = steady_dashboard(appliance, name="prod", theme=scene.theme)
    async with app.run_test(size=scene.size) as pilot:
        await scene.steps(app, pilot)
        return kept(app.export_screenshot(title="Tallystick"))
