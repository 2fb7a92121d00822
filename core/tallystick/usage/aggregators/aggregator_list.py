"""Every aggregation there is, described for people and programs: what `GET /v1/aggregators` answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from tallystick.errors import PluginFailed

from .plugin_entry_points import InstalledPlugin
from .plugin_options import Json
from .registry import BUILT_IN, installed_plugins


class ListedAggregator(msgspec.Struct, frozen=True, kw_only=True):
    """One aggregation; a plugin's has where it is from, the schema of its `options`, and the reason if it cannot be used."""

    name: str
    summary: str
    options: tuple[str, ...] = ()
    options_schema: Json | None = None
    source: Literal["built-in", "plugin"] = "built-in"
    package: str | None = None
    package_version: str | None = None
    error: str | None = None


def listed_aggregators() -> list[ListedAggregator]:
    """Return all of them by name. Imports plugins that were not used yet: up to ten seconds for one that hangs."""
    built_in = [ListedAggregator(name=each.name, summary=each.summary, options=each.options) for each in BUILT_IN]
    plugins = [_listed(plugin) for plugin in installed_plugins()]
    return sorted([*built_in, *plugins], key=lambda each: (each.name, each.source, each.package or ""))


def _listed(plugin: InstalledPlugin) -> ListedAggregator:
    origin = plugin.origin
    try:
        loaded = plugin.load()
    except PluginFailed as failure:
        return ListedAggregator(
            name=origin.name,
            summary="",
            source="plugin",
            package=origin.package,
            package_version=origin.version,
            error=failure.detail,
        )
    return ListedAggregator(
        name=origin.name,
        summary=loaded.aggregator.summary,
        options=loaded.aggregator.options,
        options_schema=loaded.schema,
        source="plugin",
        package=origin.package,
        package_version=origin.version,
    )
