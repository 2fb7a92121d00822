"""Write every picture of the documentation; names of scenes as arguments narrow it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.appliance import Appliance

from .filling import fill_for_pictures
from .scenes import SCENES
from .taken import FOLDER, fixed_appliance, taken


def main(names: list[str]) -> int:
    """Start an appliance, fill it, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, fixed_appliance(Path(folder)) as appliance:
        return _written(appliance, names)


def _written(appliance: Appliance, names: list[str]) -> int:
    fill_for_pictures(appliance)
    FOLDER.mkdir(exist_ok=True)
    for scene in SCENES:
        if not names or scene.name in names:
            picture = asyncio.run(taken(appliance, scene))
            (FOLDER / f"{scene.name}.svg").write_text(picture)
            sys.stdout.write(f"docs/pictures/{scene.name}.svg  {len(picture.encode()) // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
