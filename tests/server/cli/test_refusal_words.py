"""What the appliance refuses is said in the words of the command that was typed."""

from __future__ import annotations

import pytest

from tallystick_server.cli.refusal_words import in_words_of_command
from tests.server.cli.command_line import CommandLine

METER = ("--aggregation", "count")
WATCHED = ("signals", "preview", "--meter", "watched")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["meters", "create", "k", "--event-type", "", *METER], "--event-type: must not be empty"),
        (
            ["meters", "create", "a key!", "--event-type", "x", *METER],
            "KEY: may have letters, digits and, after the first, . _ : or -",
        ),
        (["meters", "create", "k", "--event-type", "x", *METER, "--unit", "u" * 300], "--unit: must have at most"),
        (["meters", "create", "k", "--event-type", "x", *METER, "--timeout", "0"], "--timeout: must be at least 1"),
        (["meters", "create", "watched", "--event-type", "x", *METER], "'watched' exists already; change that one"),
        (["usage", "watched", "--meter-version", "9"], "--meter-version: the meter 'watched' has the versions 1 to"),
        (["usage", "watched", "--as-of", "-1"], "--as-of: must be at least 0"),
        (["events", "tail", "--type", ""], "--type: must not be empty"),
        (["events", "void", "", "--reason", "x"], "ID: must not be empty"),
        (["keys", "create", "x", "--expires", "2020-01-01"], "--expires: lies in the past"),
        (["channels", "add", "https://127.0.0.1/"], "URL: 127.0.0.1 is a loopback address"),
        ([*WATCHED, "--limit-of", "0"], "--limit-of: must be more than 0"),
        ([*WATCHED, "--silent-for", "1"], "--silent-for: must be at least 60"),
    ],
)
def test_a_refusal_names_the_option_that_was_typed(cli: CommandLine, words: list[str], says: str) -> None:
    cli("meters", "create", "watched", "--event-type", "watched", *METER)
    assert cli(*words) == 1
    assert cli.err.startswith("tallystick: ")
    assert says in cli.err
    assert "PATCH" not in cli.err
    assert "Expected" not in cli.err


@pytest.mark.parametrize("words", [["meters", "show"], ["customers", "delete", "--yes"], ["usage"]], ids=" ".join)
def test_an_empty_key_is_bad_use_rather_than_a_question_about_all(cli: CommandLine, words: list[str]) -> None:
    assert cli(*words, "") == 2
    assert "is empty" in cli.err


def test_a_field_that_the_command_has_no_option_for_keeps_its_name() -> None:
    said = "condition.op: 'x' is none of >=, >; scope: is odd"
    faults = [("condition.op", "'x' is none of >=, >"), ("scope", "is odd")]
    assert in_words_of_command(said, faults, {"--meter", "--customer"}) == said
