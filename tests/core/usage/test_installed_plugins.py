"""Which plugins there are: found without being imported, imported once, refused one by one."""

from __future__ import annotations

import builtins
import importlib
import logging
import sys
import threading
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tallystick.errors import PluginFailed, PluginMissing
from tallystick.usage.aggregators import registry
from tallystick.usage.aggregators.plugin_entry_points import GROUP, InstalledPlugins
from tests.core.usage.asking import meter
from tests.plugin_folder import write_plugin


def plugins_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> InstalledPlugins:
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()
    found = [point for each in distributions(path=[str(folder)]) for point in each.entry_points if point.group == GROUP]
    return InstalledPlugins(found, taken={"sum"})


def refusal_of(plugins: InstalledPlugins, name: str) -> str:
    (plugin,) = [each for each in plugins if each.name == name]
    with pytest.raises(PluginFailed) as refused:
        plugin.load()
    return str(refused.value)


def test_names_are_known_before_anything_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "found_b")
    write_plugin(tmp_path, "found_a")
    plugins = plugins_in(tmp_path, monkeypatch)
    assert plugins.names == ["found_a", "found_b"]
    assert not {"found_a", "found_b"} & sys.modules.keys()


def test_a_plugin_is_imported_once_and_makes_an_aggregator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "once", version="2.5")
    plugin = plugins_in(tmp_path, monkeypatch).named("once")
    assert plugin is not None
    assert plugin.load() is plugin.load()
    assert (plugin.origin.package, plugin.origin.version) == ("once", "2.5")
    bound = plugin.load().aggregator(meter("once"))
    assert (bound.name, bound.summary) == ("once", "the total, in plain Python")


def test_a_name_of_a_built_in_aggregation_is_refused_and_the_built_in_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_plugin(tmp_path, "impostor", names={"sum": "Plain", "total": "Plain"})
    with caplog.at_level(logging.ERROR):
        plugins = plugins_in(tmp_path, monkeypatch)
    assert plugins.names == ["total"]
    assert "its name is taken by the appliance itself" in refusal_of(plugins, "sum")
    assert "'sum' of the plugin impostor 1.0" in caplog.text


def test_of_two_plugins_of_one_name_the_first_by_package_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "later", names={"same": "Plain"})
    write_plugin(tmp_path, "earlier", names={"same": "Plain"})
    plugins = plugins_in(tmp_path, monkeypatch)
    first, second = plugins
    assert (first.origin.package, second.origin.package) == ("earlier", "later")
    assert first.load().plugin.summary
    with pytest.raises(PluginFailed, match="its name is taken by the plugin earlier"):
        second.load()
    named = plugins.named("same")
    assert named is not None
    assert named.origin.package == "earlier"


THREE = "    fold = merge = read = print\n    summary = 'x'"


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("raises", "raise RuntimeError('no licence\\nfound')", "RuntimeError: no licence found"),
        ("exits", "sys.exit(3)", "SystemExit: 3"),
        ("needs_more", "import a_module_that_nobody_has", "No module named 'a_module_that_nobody_has'"),
        ("is_nothing", "Plain = 1", "names no subclass of tallystick.plugin.AggregatorPlugin"),
        ("is_empty", "class Plain(AggregatorPlugin[Total, NoOptions]): summary = 'x'", "Plain lacks fold, merge, read"),
        ("is_mute", "class Plain(Plain): summary = ''", "needs a summary of 1 to 200 characters"),
        ("is_bare", f"class Plain(AggregatorPlugin):\n{THREE}", "without naming its State"),
        (
            "is_odd",
            f"class Odd(State):\n    f: type\nclass Plain(AggregatorPlugin[Odd, NoOptions]):\n{THREE}",
            "TypeError",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why_and_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, source: str, said: str
) -> None:
    write_plugin(tmp_path, module, source)
    write_plugin(tmp_path, f"beside_{module}")
    plugins = plugins_in(tmp_path, monkeypatch)
    for _ in range(2):
        assert said in refusal_of(plugins, module)
    (broken,) = [each for each in plugins if each.name == module]
    assert broken.origin.failures == {"being imported": 1}
    beside = plugins.named(f"beside_{module}")
    assert beside is not None
    assert beside.load().aggregator(meter("x")).nothing is None


def test_an_import_that_failed_is_logged_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_plugin(tmp_path, "traced", "def deep():\n    raise LookupError('here')\ndeep()")
    plugins = plugins_in(tmp_path, monkeypatch)
    refusal_of(plugins, "traced")
    (record,) = [each for each in caplog.records if each.name == "tallystick.plugins"]
    assert record.exc_info is not None
    assert "traced.py" in caplog.text


def test_a_plugin_that_hangs_while_it_is_imported_holds_nobody_up_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_plugin(tmp_path, "hangs", "import builtins; builtins.plugin_begins.set(); builtins.plugin_may_go_on.wait(30)")
    begins, may_go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(builtins, "plugin_begins", begins, raising=False)
    monkeypatch.setattr(builtins, "plugin_may_go_on", may_go_on, raising=False)
    monkeypatch.setattr("tallystick.usage.aggregators.plugin_entry_points.IMPORT_WAIT_S", 0.01)
    plugins = plugins_in(tmp_path, monkeypatch)
    plugin = plugins.named("hangs")
    assert plugin is not None
    importing = threading.Thread(target=plugin.load)
    importing.start()
    assert begins.wait(30)
    assert "it is still being imported" in refusal_of(plugins, "hangs")
    may_go_on.set()
    importing.join(30)
    assert plugin.load().aggregator.name == "hangs"


def test_kept_states_name_the_versions_that_made_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "kept_states", version="1.5")
    plugins = plugins_in(tmp_path, monkeypatch)
    monkeypatch.setattr(registry, "installed_plugins", lambda: plugins)
    assert registry.state_format(meter("kept_states")) == "kept_states of kept_states 1.5, state 1"
    assert registry.state_format(meter("sum")) == ""
    with pytest.raises(PluginMissing, match="'gone' belongs to a plugin that is not installed here"):
        registry.state_format(meter("gone"))


def test_a_name_that_no_meter_could_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(tmp_path, "misnamed", names={"two words": "Plain"})
    plugins = plugins_in(tmp_path, monkeypatch)
    assert plugins.names == []
    assert "its name is none" in refusal_of(plugins, "two words")
