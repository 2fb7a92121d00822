"""What the program makes of a command line, before anything runs."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from tallystick_server.cli.main import COMMANDS, build_app, main


def commands(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that does something."""
    for name in app:
        if name.startswith("-") or name in {"offline-walk", "outgoing-child"}:
            continue
        inner = app[name]
        nested = list(commands(inner, (*path, name)))
        yield from nested or [(*path, name)]


EVERY = sorted(commands(build_app()))


def test_the_commands_of_the_contract_are_there() -> None:
    assert {"serve", "demo", "import", "export", "usage", "verify", "rebuild", "version"} <= {path[0] for path in EVERY}
    assert {("events", "tail"), ("meters", "preview"), ("customers", "unknown"), ("keys", "create")} <= set(EVERY)


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_help_of_every_command_shows_examples_of_it(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:" in text
    assert f"tallystick {' '.join(command)}" in " ".join(text.split())


@pytest.mark.parametrize("group", [name for name, *_ in COMMANDS])
def test_help_of_every_group_shows_examples(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group, "--help"]) == 0
    assert "Examples:" in capsys.readouterr().out


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_what_means_the_same_is_called_the_same_in_short_too(command: tuple[str, ...]) -> None:
    _, apps, _ = build_app().parse_commands(list(command))
    also = {"--customer": "-c", "--meter": "-m", "--filter": "-f", "--limit": "-l", "--window": "-w", "--yes": "-y"}
    also |= {"--group-by": "--by", "--type": "--event-type", "--time-zone": "--timezone"}
    for argument in apps[-1].assemble_argument_collection():
        for name in argument.names:
            assert also.get(name, name) in argument.names


@pytest.mark.parametrize("path", sorted({*EVERY, *(command[:1] for command in EVERY), ()}), ids=" ".join)
def test_an_example_stands_in_80_columns_as_it_is_copied_and_can_be_read(path: tuple[str, ...]) -> None:
    _, apps, _ = build_app().parse_commands(list(path))
    epilogue = apps[-1].help_epilogue
    examples = [line for line in str(epilogue or "").splitlines() if line.startswith("  ")]
    assert [line for line in examples if len(line) > 78] == []
    for example in "\n".join(examples).replace("\\\n", "").splitlines():
        for words in parted(example):
            build_app().parse_args(words, exit_on_error=False, print_error=False)


def parted(line: str) -> Iterator[list[str]]:
    """Yield the words behind each `tallystick` of a line, up to where a shell would begin something else."""
    shell = shlex.shlex(line, posix=True, punctuation_chars="|<>()")
    shell.whitespace_split = True
    words: list[str] | None = None
    for word in [*shell, "|"]:
        if word == "tallystick":
            words = []
        elif words is not None and word in {"|", "<", ">", ")"}:
            yield words
            words = None
        elif words is not None:
            words.append(word)


@pytest.mark.parametrize(
    "tokens",
    [
        ["nonsense"],
        ["usage"],
        ["usage", "tokens", "--bogus"],
        ["usage", "tokens", "extra"],
        ["usage", "tokens", "--window", "fortnight"],
        ["usage", "tokens", "--from", "soon"],
        ["usage", "tokens", "--from", "-1d", "--to", "-2d"],
        ["usage", "tokens", "--timezone", "Mars/Olympus"],
        ["usage", "tokens", "--filter", "region"],
        ["usage", "tokens", "--limit", "0"],
        ["usage", "tokens", "--csv", "--json"],
        ["usage", "tokens", "--url", "ftp://example.org"],
        ["usage", "tokens", "--api-key", "ключ"],
        ["events", "lst"],
        ["events", "list", "--limit", "many"],
        ["events", "void", "--reason", "x"],
        ["events", "void", "a"],
        ["events", "tail", "-n", "-1"],
        ["import"],
        ["import", "--nonsense"],
        ["import", "file.xyz"],
        ["import", "a.csv", "--map", "nonsense=a"],
        ["import", "a.csv", "--map", "type"],
        ["import", "a.csv", "--map", "type=a", "--set", "type=b"],
        ["import", "a.csv", "--batch-size", "10001"],
        ["import", "a.csv", "--time-unit", "fortnights"],
        ["import", "-", "-"],
        ["export"],
        ["export", "-", "--format", "parquet"],
        ["export", "a.jsonl", "--spreadsheet-safe"],
        ["meters", "create", "tokens"],
        ["meters", "update", "tokens"],
        ["meters", "archive", "tokens"],
        ["customers", "update", "acme"],
        ["keys", "create"],
        ["keys", "create", "a", "--scope", "god"],
        ["demo", "--speed", "0"],
        ["completions", "tcsh"],
        ["verify", "--data"],
    ],
    ids=" ".join,
)
def test_bad_use_exits_2_with_one_line_on_stderr(
    tokens: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody answers
    assert main(tokens) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tallystick: ")
    assert captured.err.count("\n") == 1


def test_an_escape_in_bad_use_is_not_echoed_raw(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "tokens", "--from", "\x1b[2J"]) == 2
    assert main(["\x1b[2J"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("tokens", [["--version"], ["version"]])
def test_the_version_is_one_line(tokens: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tokens) == 0
    assert capsys.readouterr().out.startswith("tallystick 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_the_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", shell]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name, *_ in COMMANDS)


def test_nobody_there_exits_1_with_one_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "tokens", "--url", "http://127.0.0.1:9"]) == 1
    captured = capsys.readouterr()
    assert "tallystick serve" in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_not_there_exits_1_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "/nonexistent/events.jsonl"]) == 1
    assert capsys.readouterr().err == "tallystick: /nonexistent/events.jsonl: No such file or directory\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tallystick_server.cli.main import main; main(['--help']); main(['usage', '--help']); "
        "heavy = {'polars', 'httpx', 'litestar', 'numpy', 'uvicorn', 'tallystick.engine'} & set(sys.modules); "
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ended_without_a_reader(*words: str, read_first: int = 0, **environment: str) -> tuple[int, str]:
    """Run a command whose reader goes away once it has read so much; return its exit code and what it says of that."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "tallystick_server", *words]
    with subprocess.Popen(
        command, stdout=writing, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    ) as program:
        os.close(writing)
        if read_first:
            os.read(reading, read_first)
        os.close(reading)
        assert program.stderr is not None
        said = program.stderr.read()
    return program.returncode, said


@pytest.mark.parametrize("words", ["completions bash", "usage --help", "--help", "version"])
def test_a_reader_that_goes_away_ends_the_program_quietly(words: str) -> None:
    assert ended_without_a_reader(*words.split()) == (141, "")


def test_a_reader_that_goes_away_half_way_is_noticed_without_a_buffer_too() -> None:
    assert ended_without_a_reader("completions", "bash", read_first=1, PYTHONUNBUFFERED="1") == (141, "")


@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_output_that_cannot_be_written_is_one_line_and_a_failure(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "tallystick_server", "version"],
            stdout=full, stderr=subprocess.PIPE, text=True, env=os.environ | environment, check=False, timeout=60,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "tallystick: No space left on device\n")
