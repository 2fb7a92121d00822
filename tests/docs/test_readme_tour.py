"""The README's tour is run as it stands, and what it prints is compared with what the README shows."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page_tour import ROOT, assert_prints_what_is_shown, run, tour

STEPS = tour(ROOT / "README.md", "## Five minutes with curl")


def test_the_tour_prints_what_the_readme_shows(tmp_path: Path) -> None:
    assert_prints_what_is_shown(STEPS, run(STEPS, tmp_path))


def test_the_tour_sends_voids_asks_kills_and_verifies() -> None:
    commands = "".join(step.commands for step in STEPS)
    for word in (
        "/v1/events ",
        "/v1/events/void",
        "/v1/meters ",
        "/usage?",
        "/by-id",
        "kill -9",
        "/v1/log/verify",
        "verify --data",
    ):
        assert word in commands
