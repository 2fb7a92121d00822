"""Plugins in a folder, as `pip install --target` would leave them there: a module, its metadata, its entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

PREAMBLE = """
from __future__ import annotations
import sys
from decimal import Decimal
from typing import Annotated, ClassVar
import msgspec
from tallystick.plugin import AggregatorPlugin, Batch, NoOptions, Options, State, number, text


class Total(State, frozen=True):
    total: Decimal


class Plain(AggregatorPlugin[Total, NoOptions]):
    summary = "the total, in plain Python"

    def fold(self, batch: Batch) -> Total:
        return Total(sum(batch.decimals("amount"), Decimal(0)))

    def merge(self, left: Total, right: Total) -> Total:
        return Total(left.total + right.total)

    def read(self, state: Total) -> Decimal | None:
        return state.total
"""


def write_plugin(
    folder: Path, module: str, source: str = "", *, names: Mapping[str, str] | None = None, version: str = "1.0"
) -> None:
    """Write a package of one module; `names` are its entry points, each with a class of the module (default: the module's, `Plain`)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(PREAMBLE + dedent(source))
    metadata = folder / f"{module}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
    lines = [f"{name} = {module}:{attribute}" for name, attribute in (names or {module: "Plain"}).items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[tallystick.aggregators]", *lines, ""]))
