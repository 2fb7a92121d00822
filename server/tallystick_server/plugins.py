"""Plugins at the start: their folder, which there are, and their imports beside everything else.

Promises: no plugin holds up the start, and none ends the process: each is imported in a thread of its own making after the port answers,
and what goes wrong is a line of the log.
Measured: finding them takes 4 ms with 70 packages installed; importing one takes what its libraries take.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from time import perf_counter

from tallystick.errors import PluginFailed
from tallystick.usage.aggregators import installed_plugins

from . import logs
from .settings import InvalidSettings

_LOG = logs.logger("plugins")


def see_plugins_folder(folder: str | None) -> None:
    """Let Python look for packages in the folder, after its own places. Raises `InvalidSettings` if it is none."""
    if folder is None:
        return
    path = Path(folder).resolve()
    if not path.is_dir():
        raise InvalidSettings(f"settings: plugins_dir is {folder!a}, which is no folder")
    # Last, so that no package in it takes the place of one that the appliance itself imports.
    sys.path.append(str(path))


def import_plugins() -> None:
    """Begin to import every plugin, and return at once."""
    threading.Thread(target=_import_all, name="tallystick-plugins", daemon=True).start()


def _import_all() -> None:
    started_at = perf_counter()
    plugins = list(installed_plugins())
    if plugins:
        _LOG.info("plugins found", names=[plugin.name for plugin in plugins], took_ms=_ms_since(started_at))
    for plugin in plugins:
        started_at = perf_counter()
        try:
            plugin.load()
        except PluginFailed as failure:
            _LOG.warning("a plugin is not used", name=plugin.name, why=failure.detail)
        else:
            origin = plugin.origin
            _LOG.info(
                "plugin imported",
                name=origin.name,
                package=origin.package,
                version=origin.version,
                took_ms=_ms_since(started_at),
            )


def _ms_since(started_at: float) -> float:
    return round((perf_counter() - started_at) * 1000, 1)
