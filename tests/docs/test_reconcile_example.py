"""The worked example of `docs/reconcile.md` is run as it stands, in one shell, and what it prints is compared with what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.page_tour import ANYTHING, ROOT, Step, run, tour

SECTION = "## A worked example"


def steps() -> list[Step]:
    """Return the commands of the section, each with what it prints."""
    return tour(ROOT / "docs" / "reconcile.md", SECTION)


def test_the_worked_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    example = steps()
    printed = run(example, tmp_path)
    assert len(printed) == len(example) >= 3
    for step, output in zip(example, printed, strict=True):
        shown = step.shown or ""
        pattern = ".*".join(re.escape(part) for part in shown.strip("\n").split(ANYTHING))
        assert re.fullmatch(pattern, output.strip("\n")), f"\n{step.commands}\nprinted:\n{output}\nshown:\n{shown}"


def test_the_worked_example_has_every_kind_of_difference() -> None:
    commands = "".join(step.commands for step in steps())
    shown = "".join(step.shown or "" for step in steps())
    assert "tallystick reconcile" in commands
    for kind in ("only_yours", "only_appliance", "differs", "voided", "repeated"):
        assert f"\n{kind}\tc-" in shown
