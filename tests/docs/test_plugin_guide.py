"""The guide for authors of plugins works word for word, and so does the template when it is copied."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tallystick import plugin as public
from tests.appliance import Appliance
from tests.docs.page_tour import ROOT, assert_prints_what_is_shown, run, tour

GUIDE = ROOT / "docs" / "plugins.md"
TEMPLATE = ROOT / "plugins" / "template"
# What a machine without internet needs: pip builds with the hatchling that is here. (False says no to isolation.)
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "False", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def test_following_the_guide_word_for_word_gives_a_plugin_that_works(tmp_path: Path) -> None:
    steps = tour(GUIDE, "## A plugin in fifteen minutes")
    assert_prints_what_is_shown(steps, run(steps, tmp_path, given=OFFLINE))


def test_the_template_works_when_it_is_copied(tmp_path: Path) -> None:
    copied, folder = tmp_path / "tallystick-spread", tmp_path / "plugins"
    shutil.copytree(TEMPLATE, copied, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for command in (
        [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"],
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), "."],
    ):
        done = subprocess.run(
            command, cwd=copied, capture_output=True, text=True, check=False, env={**os.environ, **OFFLINE}
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with Appliance(tmp_path / "appliance", settings={"plugins_dir": folder}) as running:
        listed = {each["name"]: each for each in running.client.get("/v1/aggregators").json()["items"]}
        assert (listed["spread"]["package"], listed["spread"]["error"]) == ("tallystick-spread", None)
        events = [{"id": str(value), "type": "t", "customer": "c", "value": value} for value in (3, -1, 9.5)]
        assert running.client.post("/v1/events", json=events).json()["accepted"] == 3
        meter = {"event_type": "t", "aggregation": "spread", "options": {"factor": 2}}
        query = {"from": "2020-01-01T00:00:00Z"}
        answer = running.client.post("/v1/meters/preview", json={"meter": meter, "query": query})
        assert answer.json()["totals"] == [{"group": {}, "value": 21, "events": 3}]


def test_every_public_name_and_every_way_to_fail_is_in_the_guide() -> None:
    guide = GUIDE.read_text()
    assert [name for name in public.__all__ if f"`{name}" not in guide] == []
    assert "`plugin_failed`" in guide
    assert "`plugin_missing`" in guide
