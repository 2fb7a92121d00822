"""The pages about the command line name what there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from tallystick_server.cli.main import build_app

DOCS = Path(__file__).resolve().parents[3] / "docs"
SHARED = {"--help", "-h", "--version", "--url", "--connection", "--api-key", "--json", "--yes", "-y"}


def commands(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in app:
        if not name.startswith("-") and name not in {"offline-walk", "outgoing-child"}:
            yield from list(commands(app[name], (*path, name))) or [(*path, name)]


@pytest.mark.parametrize("command", sorted(commands(build_app())), ids=" ".join)
def test_every_command_is_in_the_page(command: tuple[str, ...]) -> None:
    assert f"`tallystick {' '.join(command)}`" in (DOCS / "cli.md").read_text()


@pytest.mark.parametrize(
    ("command", "page"),
    [
        ("import", "import.md"),
        ("export", "import.md"),
        ("demo", "demo.md"),
        ("usage", "cli.md"),
        ("reconcile", "reconcile.md"),
        ("statement", "statements.md"),
    ],
)
def test_every_option_of_the_larger_commands_is_in_its_page(command: str, page: str) -> None:
    text = (DOCS / page).read_text() + (DOCS / "cli.md").read_text()
    arguments = build_app()[command].assemble_argument_collection()
    names = {argument.name for argument in arguments if argument.name.startswith("--")} - SHARED
    assert names
    assert sorted(name for name in names if f"`{name}" not in text) == []


def test_every_exit_code_is_in_the_page() -> None:
    text = (DOCS / "cli.md").read_text()
    assert all(f"| {code} |" in text for code in (0, 1, 2, 130, 141))
