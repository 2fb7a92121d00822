"""Dependencies point one way: server and tui import core, nothing imports them, and no module imports itself round a corner.

Read from the source by `ast`, imports within functions included: a rule that only holds until a function is called does not hold.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_ROOTS = {"tallystick": ROOT / "core", "tallystick_server": ROOT / "server", "tallystick_tui": ROOT / "tui"}
# What the engine stands on beside the standard library; whoever adds to it weighs what every embedder then installs.
CORE_STANDS_ON = {"lmdb", "msgspec", "numpy", "polars", "xxhash", "zstandard"}
# What authors of plugins test with; nothing that runs in an appliance imports it.
TESTING_STANDS_ON = {"hypothesis"}
# The seam: what the dashboard may know of the engine are plain values, never the store behind the server.
TUI_MAY_NOT_IMPORT = (
    "tallystick_server",
    "tallystick.engine",
    "tallystick.log",
    "tallystick.store",
    "lmdb",
    "litestar",
)


def module_name(path: Path, source_root: Path) -> str:
    parts = path.relative_to(source_root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_modules() -> dict[str, Path]:
    return {
        module_name(path, source_root): path
        for package, source_root in SOURCE_ROOTS.items()
        for path in (source_root / package).rglob("*.py")
    }


MODULES = source_modules()


def _resolved(node: ast.ImportFrom, importer: str, *, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    base = importer.split(".")
    base = base[: len(base) - node.level + (1 if is_package else 0)]
    return ".".join([*base, *((node.module or "").split(".") if node.module else [])])


def imported_names(name: str, tree: ast.AST) -> Iterator[str]:
    """Yield every dotted name that a module imports; `from a import b` gives `a.b`, which may be a module or not."""
    is_package = MODULES[name].name == "__init__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _resolved(node, name, is_package=is_package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


IMPORTS = {name: set(imported_names(name, ast.parse(path.read_text()))) for name, path in MODULES.items()}


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _offenders(package: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        if _is_within(module, package)
        for name in sorted(names)
        if any(_is_within(name, other) for other in forbidden)
    ]


def test_the_core_stands_on_few_libraries_and_on_neither_server_nor_dashboard() -> None:
    allowed = CORE_STANDS_ON | set(sys.stdlib_module_names) | {"tallystick"}
    offenders = [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        if _is_within(module, "tallystick")
        for name in sorted(names)
        if name.split(".")[0]
        not in allowed | (TESTING_STANDS_ON if _is_within(module, "tallystick.testing") else set())
    ]
    assert offenders == []


def test_nothing_that_runs_in_an_appliance_imports_the_fakes() -> None:
    offenders = [
        *_offenders("tallystick", ("tallystick.testing",)),
        *_offenders("tallystick_server", ("tallystick.testing",)),
    ]
    assert [line for line in offenders if not line.startswith("tallystick.testing")] == []


def test_the_dashboard_knows_neither_the_server_nor_a_store() -> None:
    assert _offenders("tallystick_tui", TUI_MAY_NOT_IMPORT) == []


def test_the_server_does_not_import_the_dashboard_but_to_start_it() -> None:
    offenders = _offenders("tallystick_server", ("tallystick_tui",))
    assert [line for line in offenders if not line.startswith("tallystick_server.cli.")] == []


def test_the_server_never_sees_what_is_behind_the_store() -> None:
    offenders = _offenders("tallystick_server", ("lmdb", "tallystick.log", "tallystick.dedupe", "tallystick.segments"))
    assert offenders == []


def _module_imports(name: str) -> set[str]:
    """Return the project's modules that are run when `name` is imported: its top-level imports, packages on the way not counted."""
    tree = ast.parse(MODULES[name].read_text())
    top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    found: set[str] = set()
    for imported in imported_names(name, top):
        known = imported if imported in MODULES else imported.rpartition(".")[0]
        if known in MODULES and known != name:
            found.add(known)
    return found


def _cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the loops a depth-first walk runs into, each as the modules on the way round."""
    loops: list[list[str]] = []
    finished: set[str] = set()
    way: list[str] = []

    def walk(name: str) -> None:
        if name in way:
            loops.append([*way[way.index(name) :], name])
            return
        if name in finished:
            return
        way.append(name)
        for following in sorted(graph[name]):
            walk(following)
        way.pop()
        finished.add(name)

    for name in sorted(graph):
        walk(name)
    return loops


def test_no_module_imports_itself_round_a_corner() -> None:
    assert _cycles({name: _module_imports(name) for name in MODULES}) == []


@pytest.mark.parametrize("package", ["tallystick.engine", "tallystick.usage", "tallystick.decode"])
def test_the_engine_is_importable_without_the_server_installed(package: str) -> None:
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'core')!r}]\n"
        f"import {package}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'litestar', 'uvicorn', 'httpx', 'rich', 'textual',"
        " 'tallystick_server', 'tallystick_tui'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
