"""The README's signal is set up as it stands: channel, meter, signal, events, and the message that arrives."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from tests.docs.page_tour import ROOT, assert_prints_what_is_shown, free_port, run, tour

STEPS = tour(ROOT / "README.md", "## A webhook signal in two minutes")


def test_the_webhook_of_the_readme_tells_what_the_readme_shows(tmp_path: Path) -> None:
    port, receiver_port = str(free_port()), str(free_port())
    steps = [structs.replace(step, commands=step.commands.replace("7071", receiver_port)) for step in STEPS]
    # On the page it is the port that commands take without being told.
    given = {"TALLYSTICK_PORT": port, "TALLYSTICK_URL": f"http://127.0.0.1:{port}"}
    assert_prints_what_is_shown(steps, run(steps, tmp_path, given=given))


def test_the_section_makes_a_channel_a_meter_a_signal_and_a_crossing() -> None:
    commands = "".join(step.commands for step in STEPS)
    for word in ("channels add", "meters create", "signals create", "/v1/events", "signal.fired", "signals preview"):
        assert word in commands
