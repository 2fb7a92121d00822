"""`tallystick signals` on an appliance: each command as a person types it, and what a pipe gets."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick_server.cli.signal_preview import show_preview
from tallystick_server.cli.terminal import Terminal
from tests.appliance import Appliance
from tests.server.cli.command_line import CommandLine


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("signals"), settings={"allowed_networks": "127.0.0.0/8"}) as appliance:
        meter = {"key": "calls", "event_type": "call", "aggregation": "count"}
        assert appliance.client.post("/v1/meters", json=meter).status_code == 201
        channel = {"key": "ops", "kind": "webhook", "url": "http://127.0.0.1:9/"}
        assert appliance.client.post("/v1/channels", json=channel).status_code == 201
        events = [
            {"id": f"{customer}-{day}-{n}", "type": "call", "customer": customer, "time": f"2026-06-0{day}T1{n}:00:00Z"}
            for customer, count in (("acme", 4), ("beta", 2))
            for day in (1, 2, 3)
            for n in range(count)
        ]
        assert appliance.client.post("/v1/events", json=events).json()["accepted"] == len(events)
        yield appliance


@pytest.fixture
def cli(watched: Appliance, capsys: pytest.CaptureFixture[str]) -> Iterator[CommandLine]:
    yield CommandLine(watched, capsys)
    for signal in watched.client.get("/v1/signals").json()["items"]:
        watched.client.delete(f"/v1/signals/{signal['key']}")


def answer(cli: CommandLine, *tokens: str) -> dict[str, Any]:  # Any: JSON
    assert cli(*tokens, "--json") == 0, cli.err
    return json.loads(cli.out)


def made(cli: CommandLine, *options: str) -> dict[str, Any]:  # Any: JSON
    return answer(cli, "signals", "create", "cap", "--meter", "calls", *options)


def test_a_signal_is_created_listed_shown_changed_and_deleted(cli: CommandLine) -> None:
    signal = made(cli, "--each", "--limit-of", "100", "--percent", "80,100", "--channel", "ops", "--name", "Cap")
    assert signal["condition"] == {"type": "threshold", "op": ">=", "limit": 100, "thresholds": [80, 100]}
    assert (signal["scope"], signal["channels"], signal["name"]) == ({"customer": "*"}, ["ops"], "Cap")
    assert cli("signals", "list") == 0
    assert cli.out.startswith("cap\tCap\tcalls\t")
    assert cli("signals", "show", "cap") == 0
    assert "period\tmonth" in cli.out
    assert answer(cli, "signals", "update", "cap", "--disable", "--period", "day")["enabled"] is False
    changed = answer(cli, "signals", "update", "cap", "--enable", "--customer", "acme", "--silent-for", "60")
    assert (changed["condition"], changed["scope"]) == ({"type": "no_data", "silence_s": 60}, {"customer": "acme"})
    assert cli("signals", "delete", "cap") == 2
    assert cli("signals", "delete", "cap", "--yes") == 0
    assert cli("signals", "show", "cap") == 1


@pytest.mark.parametrize(
    ("options", "condition"),
    [
        (["--at-least", "100"], {"type": "threshold", "op": ">=", "value": 100}),
        (["--above", "1", "--above", "2,3"], {"type": "threshold", "op": ">", "thresholds": [1, 2, 3]}),
        (["--below", "0.5"], {"type": "threshold", "op": "<", "value": 0.5}),
        (["--at-most=-1"], {"type": "threshold", "op": "<=", "value": -1}),
        (["--limit-of", "10"], {"type": "threshold", "op": ">=", "limit": 10}),
        (["--change", "5"], {"type": "absolute_change", "value": 5, "direction": "any"}),
        (
            ["--change-percent", "50", "--direction", "down", "--floor", "9"],
            {"type": "percent_change", "value": 50, "direction": "down", "floor": 9},
        ),
    ],
)
def test_each_kind_of_condition_has_its_option(cli: CommandLine, options: list[str], condition: dict[str, Any]) -> None:
    assert made(cli, *options)["condition"] == condition


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say when it fires"),
        (["--at-least", "1", "--change", "2"], "one condition"),
        (["--percent", "80"], "--percent needs --limit-of"),
        (["--direction", "up"], "belong to --change"),
        (["--at-least", "many"], "is not a decimal number"),
        (["--at-least", "1", "--each", "--customer", "acme"], "exclude each other"),
    ],
)
def test_options_that_make_no_signal_are_bad_use_in_one_line(cli: CommandLine, options: list[str], said: str) -> None:
    assert cli("signals", "create", "cap", "--meter", "calls", *options) == 2
    assert said in cli.err
    assert cli.err.count("\n") == 1


def test_a_definition_comes_from_a_file_and_options_beat_it(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "signal.json"
    file.write_text('{"meter": "calls", "period": "week", "condition": {"type": "threshold", "value": 0.000000000001}}')
    signal = answer(cli, "signals", "create", "cap", "--file", str(file), "--period", "day")
    assert (signal["period"], signal["condition"]["value"]) == ("day", 1e-12)


def test_a_refusal_of_the_appliance_is_one_line(cli: CommandLine) -> None:
    assert cli("signals", "create", "cap", "--meter", "nobody", "--at-least", "1") == 1
    assert "there is no meter 'nobody'" in cli.err
    assert cli.err.count("\n") == 1


def test_a_preview_gives_a_pipe_every_step_and_a_person_charts(cli: CommandLine) -> None:
    asked = ["--from", "2026-06-01", "--to", "2026-06-04"]
    options = ["--meter", "calls", "--each", "--period", "day", "--at-least", "3"]
    assert cli("signals", "preview", *options, *asked) == 0, cli.err
    assert [line.split("\t")[:4] for line in cli.out.splitlines()] == [
        [f"2026-06-0{day}T12:00:00Z", "fired", "1", "acme"] for day in (3, 2, 1)
    ]
    body = answer(cli, "signals", "preview", *options, *asked, "--top", "2")
    assert (body["firings"], [each["customer"] for each in body["top"]]) == (3, ["acme", "beta"])
    assert cli("signals", "preview", *options, *asked, "--chart", "--top", "1", "--limit", "1") == 0
    assert "It would have fired 3 times" in cli.out
    assert "acme   fired 3   past 3" in cli.out
    assert cli.out.count("▲") == 3
    assert "raise --limit" in cli.err


def test_a_saved_signal_is_tried_and_so_are_changes_of_it(cli: CommandLine) -> None:
    made(cli, "--each", "--period", "day", "--at-least", "3")
    asked = ["--from", "2026-06-01", "--to", "2026-06-04"]
    assert answer(cli, "signals", "preview", "cap", *asked)["firings"] == 3
    assert answer(cli, "signals", "preview", "cap", *asked, "--at-least", "2")["firings"] == 6
    assert answer(cli, "signals", "preview", "cap", *asked, "--at-least", "99")["firings"] == 0


def test_a_person_reads_that_it_would_never_have_fired(cli: CommandLine) -> None:
    body = answer(
        cli, "signals", "preview", "--meter", "calls", "--at-least", "99", "--from", "2026-06-01", "--to", "2026-06-04"
    )
    out = io.StringIO()
    show_preview(
        Terminal(out, io.StringIO(), for_person=True), json.dumps(body).encode(), zone_name="UTC", with_charts=False
    )
    assert "It would never have fired, from 2026-06-01 to 2026-06-04 UTC" in " ".join(out.getvalue().split())


def test_a_signal_is_snoozed_and_woken_and_its_history_says_so(cli: CommandLine) -> None:
    made(cli, "--each", "--at-least", "1000")
    snoozed = answer(cli, "signals", "snooze", "cap", "--customer", "acme", "--for", "2h")
    assert (snoozed["customer"], snoozed["state"]) == ("acme", "snoozed")
    assert cli("signals", "states", "cap") == 0
    assert cli.out.startswith("acme\t\tsnoozed\t0\t")
    assert answer(cli, "signals", "snooze", "cap", "--customer", "acme", "--wake")["state"] == "armed"
    until = answer(cli, "signals", "snooze", "cap", "--until", "2100-01-01", "--timezone", "Europe/Berlin")
    assert until["snoozed_until"] == "2099-12-31T23:00:00Z"
    kinds = [item["kind"] for item in answer(cli, "signals", "history", "cap")["items"]]
    # Steps of an earlier signal of the same key come after these.
    assert kinds[:3] == ["snoozed", "woken", "snoozed"]
    assert cli("signals", "history", "cap", "--kind", "woken", "--customer", "acme") == 0
    assert cli.out.count("\n") == 1
    for bad in (["--for", "soon"], [], ["--for", "2h", "--wake"]):
        assert cli("signals", "snooze", "cap", *bad) == 2


def test_what_is_fired_is_listed_over_all_signals(cli: CommandLine) -> None:
    assert answer(cli, "signals", "fired")["items"] == []
    assert cli("signals", "fired", "--signal", "nobody") == 1
