"""The plugins that are installed: found by their entry points, imported when first needed, refused one by one.

An entry point of the group `tallystick.aggregators` gives an aggregation its name and says where the class is.
Promises: finding them imports nothing; each is imported once; one that cannot be imported, is no plugin, or bears a name that is taken is
refused with a line that says why, and the others work. The order is that of names, then packages, whatever the order of installation.
Does not: see what is installed while the process runs; restart it.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Final, cast

import msgspec

from tallystick.errors import PluginFailed
from tallystick.plugin import AggregatorPlugin, Options, State

from .plugin_aggregator import AnyPlugin, Origin, PluginAggregator, adapted, shown_error
from .plugin_options import Json, options_schema

GROUP: Final = "tallystick.aggregators"
# An import that hangs would otherwise hold the thread of every question to its meters.
IMPORT_WAIT_S: Final = 10.0
_SUMMARY_LENGTH_MAX: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)

_log: Final = logging.getLogger("tallystick.plugins")


class NotAPlugin(TypeError):
    """What an entry point names is not what a plugin has to be."""


class LoadedPlugin(msgspec.Struct, frozen=True):
    """A plugin that works: the aggregator made of it, and the schema of its options."""

    plugin: type[AnyPlugin]
    aggregator: type[PluginAggregator]
    schema: Json


class InstalledPlugin:
    """One entry point; `load` imports it once. May be used from any thread."""

    def __init__(self, entry_point: EntryPoint, *, refusal: str | None = None) -> None:
        distribution = entry_point.dist
        package = distribution.name if distribution is not None else entry_point.module
        version = distribution.version if distribution is not None else "0"
        self.origin = Origin(entry_point.name, package, version)
        self._entry_point = entry_point
        self._guard = threading.Lock()
        self._loaded: LoadedPlugin | None = None
        self._refusal = refusal

    @property
    def name(self) -> str:
        """Return what meters call it."""
        return self.origin.name

    def load(self) -> LoadedPlugin:
        """Return the plugin, imported by the first call. Raises `PluginFailed`, the same each time."""
        if self._loaded is not None:
            return self._loaded
        if not self._guard.acquire(timeout=IMPORT_WAIT_S):
            raise self._refused(f"it is still being imported after {IMPORT_WAIT_S:.0f} s")
        try:
            if self._refusal is not None:
                raise self._refused(self._refusal)
            if self._loaded is None:
                self._loaded = self._import()
            return self._loaded
        finally:
            self._guard.release()

    def refuse(self) -> None:
        """Log why it was refused from the start, if it was."""
        if self._refusal is not None:
            _log.error("%s", self._refused(self._refusal))

    def _import(self) -> LoadedPlugin:
        try:
            return checked_plugin(cast("object", self._entry_point.load()), self.origin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # importing a module may raise anything, an attempt to exit included
            self._refusal = shown_error(error)
            raise self.origin.failed("being imported", self._refusal, error) from error

    def _refused(self, detail: str) -> PluginFailed:
        return PluginFailed(self.name, f"{self.origin.package} {self.origin.version}", "being imported", detail)


class InstalledPlugins:
    """All of them. `taken` are the names of built-in aggregations, which no plugin may bear."""

    def __init__(self, found: Iterable[EntryPoint], *, taken: Collection[str]) -> None:
        holders = dict.fromkeys(taken, "the appliance itself")
        self._all: list[InstalledPlugin] = []
        self._by_name: dict[str, InstalledPlugin] = {}
        for entry_point in sorted(found, key=lambda each: (each.name, each.dist.name if each.dist else "", each.value)):
            refusal = None
            if not _NAME.fullmatch(entry_point.name):
                refusal = "its name is none: 1 to 128 of the characters A-Z a-z 0-9 _ . -"
            elif entry_point.name in holders:
                refusal = f"its name is taken by {holders[entry_point.name]}"
            plugin = InstalledPlugin(entry_point, refusal=refusal)
            plugin.refuse()
            self._all.append(plugin)
            if refusal is None:
                holders[plugin.name] = f"the plugin {plugin.origin.package} {plugin.origin.version}"
                self._by_name[plugin.name] = plugin

    def __iter__(self) -> Iterator[InstalledPlugin]:
        """Go through all that were found, refused ones too."""
        return iter(self._all)

    @property
    def names(self) -> list[str]:
        """Return the names that meters can use; nothing is imported for it."""
        return list(self._by_name)

    def named(self, name: str) -> InstalledPlugin | None:
        """Return the plugin of this name."""
        return self._by_name.get(name)


def find_plugins(taken: Collection[str]) -> InstalledPlugins:
    """Return the plugins that `sys.path` has now."""
    return InstalledPlugins(entry_points(group=GROUP), taken=taken)


def checked_plugin(loaded: object, origin: Origin) -> LoadedPlugin:
    """Return what an entry point named, made ready for use. Raises `TypeError`: it is none, or its types cannot be read back."""
    if not (isinstance(loaded, type) and issubclass(loaded, AggregatorPlugin)):
        raise NotAPlugin("its entry point names no subclass of tallystick.plugin.AggregatorPlugin")
    plugin = cast("type[AnyPlugin]", loaded)
    missing = sorted(getattr(plugin, "__abstractmethods__", ()))
    if missing:
        raise NotAPlugin(f"{plugin.__name__} lacks {', '.join(missing)}")
    summary: object = getattr(plugin, "summary", None)
    if not isinstance(summary, str) or not 1 <= len(summary) <= _SUMMARY_LENGTH_MAX:
        raise NotAPlugin(f"{plugin.__name__} needs a summary of 1 to {_SUMMARY_LENGTH_MAX} characters")
    for name, kind in (("state_type", State), ("options_type", Options)):
        given: object = getattr(plugin, name, None)
        if not (isinstance(given, type) and issubclass(given, kind)):
            raise NotAPlugin(
                f"{plugin.__name__} derives from AggregatorPlugin[…, …] without naming its {kind.__name__}"
            )
    msgspec.json.schema(plugin.state_type)  # refuses types that cannot be written and read back
    return LoadedPlugin(plugin, adapted(plugin, origin), options_schema(plugin.options_type))
