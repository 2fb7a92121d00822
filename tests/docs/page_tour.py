"""A tour on a page: a section that is run as it stands, in one shell, and whose outputs are compared with what the page shows.

A block of `sh` is run; the block after it (`json`, `csv`, `text`) is what it prints. In text `…` stands for anything; in JSON
a string `"…"` for any value, and `"…": "…"` for further keys. The port is another one than on the page, which may be taken.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec

ROOT = Path(__file__).resolve().parent.parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
ANYTHING = "…"


class Step(msgspec.Struct, frozen=True):
    """Commands, and what they print (None: nothing is shown)."""

    commands: str
    language: str | None
    shown: str | None


def tour(page: Path, section_title: str) -> list[Step]:
    """Return the steps of a section."""
    section = page.read_text().split(f"{section_title}\n", 1)[1].split("\n## ", 1)[0]
    blocks = FENCE.findall(section)
    steps: list[Step] = []
    for at, (language, body) in enumerate(blocks):
        if language == "sh":
            after = blocks[at + 1] if at + 1 < len(blocks) and blocks[at + 1][0] != "sh" else (None, None)
            steps.append(Step(body, *after))
    return steps


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(steps: list[Step], folder: Path, *, given: Mapping[str, str] | None = None) -> list[str]:
    """Run all steps in one shell in the folder, and return what each printed; `given` are variables beside those of this process."""
    script = "set -eu\ntrap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT\n"
    script += "".join(f"{step.commands}\nprintf '\\036'\n" for step in steps)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["TALLYSTICK_PORT"] = str(free_port())
    environment.update(given or {})
    script = script.replace("127.0.0.1:7070", f"127.0.0.1:{environment['TALLYSTICK_PORT']}")
    shell = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    printed = shell.stdout.split(MARK)
    log = folder / "tour.log"
    evidence = f"{shell.stderr}\n{log.read_text() if log.exists() else ''}"
    assert shell.returncode == 0, (
        f"ended with {shell.returncode} after {len(printed) - 1} steps\n{printed[-1]}\n{evidence}"
    )
    return printed[:-1]


def json_values(text: str) -> list[object]:
    """Return the values that stand one after the other in a text."""
    decoder = json.JSONDecoder()
    values: list[object] = []
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:].lstrip()
    return values


def agrees(shown: object, printed: object) -> bool:
    if shown == ANYTHING:
        return True
    if isinstance(shown, dict) and isinstance(printed, dict):
        wanted, given = cast("dict[str, object]", shown), cast("dict[str, object]", printed)
        names = wanted.keys() - {ANYTHING}
        same_names = names <= given.keys() if ANYTHING in wanted else names == given.keys()
        return same_names and all(agrees(wanted[name], given[name]) for name in names)
    if isinstance(shown, list) and isinstance(printed, list):
        wanted_items, given_items = cast("list[object]", shown), cast("list[object]", printed)
        return len(wanted_items) == len(given_items) and all(map(agrees, wanted_items, given_items))
    return shown == printed


def assert_prints_what_is_shown(steps: list[Step], printed: list[str]) -> None:
    """Raise `AssertionError` at the first step that prints something else than the page shows."""
    for step, output in zip(steps, printed, strict=True):
        where = f"\n{step.commands}\nprinted:\n{output}\nthe page shows:\n{step.shown}"
        if step.shown is None:
            assert output == "", where
        elif step.language == "json":
            assert agrees(json_values(step.shown), json_values(output)), where
        else:
            pattern = ".*".join(re.escape(part) for part in step.shown.strip().split(ANYTHING))
            assert re.fullmatch(pattern, output.strip(), re.DOTALL), where
