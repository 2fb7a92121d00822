"""The house rules that a machine can check, each with where it is broken."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
NAMES_OF_NOTHING = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "manager",
    "managers",
    "base",
    "misc",
    "stuff",
    "lib",
}
# In two halves, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|Users|work" + r")/\w")
PRIVATE_INDEX = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|\bartifactory\b|\bpypi\.(?!org\b)\w+\.\w+", re.IGNORECASE
)
TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".lock",
    ".lua",
    ".sh",
    ".c",
    ".html",
    ".css",
    ".js",
    ".json",
    ".yml",
    ".yaml",
    ".service",
    "",
}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, the ones not committed yet included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


def python_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py" and "sdk-clients" not in path.parts]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def texts() -> Iterator[tuple[Path, str]]:
    for path in project_files():
        if path.suffix in TEXTS and "vendor" not in path.parts and path.name != "LICENSE":
            yield path, path.read_text(encoding="utf-8")


def shown(path: Path, line: int | None = None) -> str:
    return str(path.relative_to(ROOT)) + ("" if line is None else f":{line}")


def places(pattern: re.Pattern[str], *, apart_from: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{shown(path, number)}: {line.strip()[:120]}"
        for path, text in texts()
        if path.name not in apart_from
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_python_file_says_what_it_is() -> None:
    silent = [shown(path) for path in python_files() if ast.get_docstring(tree(path)) is None]
    assert silent == []


def test_no_python_file_has_room_for_two_nouns() -> None:
    counts = [(len(path.read_text().splitlines()), shown(path)) for path in python_files()]
    assert [(count, name) for count, name in counts if count >= LINES_MAX] == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        (node.name, shown(path, node.lineno), node.end_lineno - node.lineno + 1)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_file_and_folder_is_named_for_a_thing() -> None:
    nameless = [
        shown(path)
        for path in python_files()
        for part in (*path.relative_to(ROOT).parts[:-1], path.stem)
        if NAMES_OF_NOTHING & set(part.lower().split("_"))
    ]
    assert nameless == []


def test_nothing_is_left_for_later() -> None:
    assert places(UNFINISHED) == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert places(MACHINE_PATHS) == []


def test_no_file_names_where_packages_come_from() -> None:
    assert places(PRIVATE_INDEX, apart_from=("Makefile", "test_tidy.py")) == []


def test_no_exception_is_swallowed() -> None:
    swallowed = [
        shown(path, node.lineno)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
        and all(isinstance(statement, ast.Pass) for statement in node.body)
    ]
    assert swallowed == []


def test_no_two_test_files_share_a_name() -> None:
    names = [path.name for path in python_files() if path.name.startswith("test_")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_test_is_a_sentence() -> None:
    short = [
        f"{shown(path, node.lineno)}: {node.name}"
        for path in python_files()
        if path.name.startswith("test_")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 3
    ]
    assert short == []


def modules_by_name() -> dict[str, Path]:
    """Every module of the three source roots under its dotted name, `__init__` under its package's."""
    found: dict[str, Path] = {}
    for path in python_files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in ("core", "server", "tui"):
            found[".".join(parts[1:-1] if parts[-1] == "__init__" else parts[1:])] = path
    return found


def _mentioned(text: str) -> set[str]:
    """Every word that could name a module: in an import, or in a string such as an entry point's."""
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))


def test_every_module_is_reached_by_another_file() -> None:
    """A module whose name no other file of the product mentions is dead, or only its tests are alive."""
    words = {path: _mentioned(path.read_text()) for path in [*python_files(), ROOT / "pyproject.toml"]}
    outside_tests = {path: found for path, found in words.items() if not path.is_relative_to(ROOT / "tests")}
    dead = [
        shown(path)
        for name, path in modules_by_name().items()
        if path.name not in ("__init__.py", "__main__.py")
        and "testing" not in path.parts
        and not any(name.rpartition(".")[2] in found for other, found in outside_tests.items() if other != path)
    ]
    assert dead == []


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links and pictures, those in fenced blocks left out."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    yield from LINK.findall(prose)
    yield from IMAGE.findall(prose)


def pages() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md" and "vendor" not in path.parts]


def test_every_page_of_the_docs_is_reached_from_their_index() -> None:
    docs = ROOT / "docs"
    reached: set[Path] = set()
    ahead = [docs / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            ahead += [(page.parent / urlsplit(target).path).resolve() for target in links(page) if "://" not in target]
    unreached = [shown(path) for path in pages() if path.is_relative_to(docs) and path not in reached]
    assert unreached == []


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = [
        target
        for target in links(page)
        if not urlsplit(target).scheme and urlsplit(target).path and not (page.parent / urlsplit(target).path).exists()
    ]
    assert broken == []


def _mentions(pattern: re.Pattern[str]) -> list[str]:
    """Return where a file names a path of the project that is not there; a path that ends in an ellipsis is a pattern."""
    return [
        f"{shown(path, number)}: {named}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        for named in pattern.findall(line)
        if not (ROOT / named).exists()
    ]


def test_every_page_that_a_file_sends_its_reader_to_exists() -> None:
    assert _mentions(re.compile(r"\bdocs/[a-z0-9-]+(?:/[a-z0-9-]+)*\.md\b")) == []


def test_every_test_that_a_page_names_as_evidence_exists() -> None:
    in_pages = re.compile(r"`(tests/[\w/.-]+)`")
    assert [place for place in _mentions(in_pages) if place.split(":")[0].endswith(".md")] == []
