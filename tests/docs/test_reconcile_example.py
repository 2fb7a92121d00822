"""The worked example of `docs/reconcile.md` is run as it stands, and what it prints is compared with what the page shows."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page_tour import ROOT, assert_prints_what_is_shown, run, tour

STEPS = tour(ROOT / "docs" / "reconcile.md", "## A worked example")


def test_the_worked_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    assert_prints_what_is_shown(STEPS, run(STEPS, tmp_path))


def test_the_worked_example_has_every_kind_of_difference() -> None:
    assert "tallystick reconcile" in "".join(step.commands for step in STEPS)
    shown = "".join(step.shown or "" for step in STEPS)
    for kind in ("only_yours", "only_appliance", "differs", "voided", "repeated"):
        assert f"\n{kind}\tc-" in shown
