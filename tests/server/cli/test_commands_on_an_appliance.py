"""The commands against a real appliance."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tallystick_server.cli.terminal import Column, Terminal
from tests.server.cli.command_line import CommandLine, start

RANGE = ("--from", "2026-11-01", "--to", "2026-12-01")


def send(cli: CommandLine, *events: Mapping[str, object]) -> None:
    cli.appliance.client.post("/v1/events", json=list(events)).raise_for_status()


def test_a_meter_is_made_changed_asked_and_archived(cli: CommandLine) -> None:
    send(
        cli,
        {"id": "m1", "type": "made", "customer": "acme", "time": "2026-11-01T10:00:00Z", "value": 0.1},
        {"id": "m2", "type": "made", "customer": "acme", "time": "2026-11-02T10:00:00Z", "value": "0.2"},
        {
            "id": "m3",
            "type": "made",
            "customer": "bolt",
            "time": "2026-11-02T11:00:00Z",
            "value": "12345678901234567890.5",
        },
        {
            "id": "m4",
            "type": "made",
            "customer": "bolt",
            "time": "2026-11-02T12:00:00Z",
            "properties": {"region": "eu"},
        },
    )
    assert cli("meters", "create", "made", "--event-type", "made", "--aggregation", "sum", "--dimension", "region") == 0
    assert cli("usage", "made", *RANGE, "-w", "day", "-g", "customer") == 0
    assert cli.out.splitlines() == [
        "2026-11-01T00:00:00Z\t2026-11-02T00:00:00Z\tacme\t0.1\t1",
        "2026-11-02T00:00:00Z\t2026-11-03T00:00:00Z\tacme\t0.2\t1",
        "2026-11-02T00:00:00Z\t2026-11-03T00:00:00Z\tbolt\t12345678901234567891.5\t2",
    ]
    answer = cli.answer("usage", "made", *RANGE, "--filter", "customer=acme")
    assert answer["totals"][0]["value"] == "0.3"
    assert cli("usage", "made", *RANGE, "--csv") == 0
    assert cli.out.splitlines()[0] == "start,end,value,events"
    assert cli("meters", "update", "made", "--name", "Things made") == 0
    assert cli.answer("meters", "show", "made")["name"] == "Things made"
    preview = cli.answer("meters", "preview", "--event-type", "made", "--aggregation", "count", *RANGE, "-g", "region")
    assert {total["group"]["region"]: total["value"] for total in preview["totals"]} == {None: "3", "eu": "1"}
    assert cli("meters", "archive", "made", "--yes") == 0
    assert cli("meters", "list") == 0
    assert "made\t" not in cli.out
    assert cli("meters", "list", "--archived") == 0
    assert "made\t" in cli.out


def test_a_duration_is_defined_asked_and_explained(cli: CommandLine) -> None:
    send(
        cli,
        {
            "id": "on",
            "type": "machine",
            "customer": "acme",
            "time": "2026-11-01T10:50:00Z",
            "properties": {"host": "a"},
        },
        {
            "id": "off",
            "type": "machine",
            "customer": "acme",
            "time": "2026-11-01T11:20:00Z",
            "value": 0,
            "properties": {"host": "a"},
        },
        {"id": "still", "type": "machine", "customer": "bolt", "time": "2026-11-30T23:00:00Z"},
    )
    created = ("meters", "create", "machine-hours", "--event-type", "machine", "--aggregation", "duration")
    assert cli(*created, "--series", "host", "--timeout", "7200") == 0
    assert cli("usage", "machine-hours", "--from", "2026-11-01", "--to", "2026-11-02", "-w", "hour") == 0
    assert [line.split("\t")[2] for line in cli.out.splitlines()] == ["600", "1200"]
    assert cli("explain", "machine-hours", *RANGE, "--customer", "acme") == 0
    assert cli.out.splitlines() == ["2026-11-01T10:50:00Z\t2026-11-01T11:20:00Z\tacme\ta\t1\t1800\ton\toff"]
    explanation = cli.answer("explain", "machine-hours", *RANGE, "-g", "customer", "--limit", "1")
    assert [total["group"]["customer"] for total in explanation["totals"]] == ["acme"]
    assert explanation["items"][0]["ending"] == "event"
    assert explanation["next_cursor"] is None
    assert cli("meters", "update", "machine-hours", "--timeout", "60") == 0
    assert cli.answer("explain", "machine-hours", *RANGE)["totals"][0]["value"] == "60"
    preview = (
        "meters",
        "preview",
        "--event-type",
        "machine",
        "--aggregation",
        "running_total",
        "--statistic",
        "closing",
    )
    assert cli.answer(*preview, *RANGE, "--series", "host")["totals"][0]["value"] == "1"


def test_an_explanation_is_read_over_as_many_pages_as_it_takes(cli: CommandLine) -> None:
    events = [
        {"id": f"x{number}", "type": "explained", "customer": "acme", "time": f"2026-11-01T10:00:{number % 60:02d}Z"}
        for number in range(1_500)
    ]
    send(cli, *events)
    assert cli("meters", "create", "explained", "--event-type", "explained", "--aggregation", "count") == 0
    assert cli("explain", "explained", *RANGE, "--limit", "1400") == 0
    assert len(cli.out.splitlines()) == 1_400
    whole = cli.answer("explain", "explained", *RANGE, "--limit", "2000")
    assert len({item["id"] for item in whole["items"]}) == 1_500
    assert (whole["totals"][0]["value"], whole["next_cursor"]) == ("1500", None)
    assert cli("explain", "explained", *RANGE, "--limit", "0") == 2
    assert cli.err.startswith("tallystick: --limit")
    assert cli("explain", "no-such-meter", *RANGE) == 1


def test_aggregations_are_listed_with_what_they_came_with(cli: CommandLine) -> None:
    assert cli("aggregators") == 0
    rows = {row.split("\t")[0]: row.split("\t") for row in cli.out.splitlines()}
    assert rows["sum"][1:4] == ["exact total of the field", "", "tallystick"]
    assert rows["percentile"][2:4] == ["options", "tallystick-percentile"]
    (weighted,) = [each for each in cli.answer("aggregators")["items"] if each["name"] == "weighted"]
    assert weighted["options_schema"]["$defs"]["WeightedOptions"]["required"] == ["property", "weights"]


def test_a_meter_of_a_plugin_is_made_with_the_options_that_it_takes(cli: CommandLine) -> None:
    times = [f"2026-11-01T10:00:{second:02}Z" for second in range(4)]
    send(
        cli,
        *({"id": time, "type": "timed", "customer": "acme", "time": time, "value": int(time[-3:-1])} for time in times),
    )
    made = ("meters", "create", "timed", "--event-type", "timed", "--aggregation", "percentile", "--option")
    assert cli(*made, "p") == 2
    assert "--option" in cli.err
    assert cli(*made, "p=101") == 1
    assert "p is 101, and must be 0 to 100" in cli.err
    assert cli(*made, "p=50", "--option", "accuracy=0.02") == 0
    assert cli.answer("meters", "show", "timed")["options"] == {"p": "50", "accuracy": "0.02"}
    assert cli.answer("usage", "timed", *RANGE)["totals"][0]["value"] == "1"
    assert cli("meters", "update", "timed", "--option", "p=100") == 0
    assert cli.answer("usage", "timed", *RANGE)["totals"][0]["value"] == "3"
    table = 'weights={"late": 2}'
    weighted = ("--aggregation", "weighted", "--option", "property=when", "--option", table, "--option", "otherwise=1")
    preview = cli.answer("meters", "preview", "--event-type", "timed", *weighted, *RANGE)
    assert preview["totals"][0]["value"] == "6"


def test_a_customer_is_described_changed_and_forgotten(cli: CommandLine) -> None:
    send(cli, {"id": "c1", "type": "seen", "customer": "acme/eu west", "time": "2026-11-01T10:00:00Z"})
    assert cli("customers", "unknown", "--limit", "1000") == 0
    assert "acme/eu west\t1\t2026-11-01T10:00:00Z" in cli.out.splitlines()
    assert cli("customers", "create", "acme/eu west", "--name", "Acme", "--metadata", "plan=pro") == 0
    assert cli("customers", "update", "acme/eu west", "--time-zone", "Europe/Berlin") == 0
    shown = cli.answer("customers", "show", "acme/eu west")
    assert (shown["name"], shown["time_zone"], shown["metadata"]) == ("Acme", "Europe/Berlin", {"plan": "pro"})
    assert cli("customers", "list") == 0
    assert "acme/eu west\tAcme" in cli.out
    assert cli("customers", "delete", "acme/eu west", "--yes") == 0
    assert cli("customers", "show", "acme/eu west") == 1
    assert cli.err.startswith("tallystick: no customer has the key")


def test_a_key_is_shown_once_works_and_is_deleted(cli: CommandLine) -> None:
    assert cli("keys", "create", "reader", "--scope", "read", "--expires", "+1d") == 0
    secret = cli.out.strip()
    assert secret not in cli.err
    assert cli("events", "list", "--limit", "1", key=secret) == 0
    assert cli("keys", "list", key=secret) == 1
    assert "lacks the scope" in cli.err
    items = cli.answer("keys", "list")["items"]
    [entry] = [item for item in items if item["name"] == "reader"]
    assert secret not in json.dumps(items)
    assert cli("keys", "delete", entry["id"], "--yes") == 0
    assert cli("events", "list", key=secret) == 1
    assert "API key is not valid" in cli.err
    assert secret not in cli.err


def test_an_event_is_looked_up_and_voided(cli: CommandLine) -> None:
    send(
        cli,
        {
            "id": "v1",
            "source": "gw",
            "type": "void-me",
            "customer": "acme",
            "time": "2026-11-01T10:00:00Z",
            "value": 1.5,
        },
    )
    receipt = cli.answer("events", "get", "v1", "--source", "gw")
    assert (receipt["value"], receipt["state"], len(receipt["block_hash"])) == ("1.5", "counted", 64)
    assert cli("events", "void", "v1", "--source", "gw", "--reason", "test") == 0
    assert cli.answer("events", "get", "v1", "--source", "gw")["state"] == "voided"
    assert cli("events", "void", "v1", "never-sent", "--source", "gw", "--reason", "test") == 1
    assert "not found of source 'gw': never-sent" in cli.err
    assert cli("events", "void", "never-sent", "--source", "gw", "--reason", "test", "--remember") == 0
    assert cli("events", "get", "nothing") == 1
    assert cli.err.count("\n") == 1


def test_the_events_list_pages_past_one_page_and_stops_at_its_limit(cli: CommandLine) -> None:
    send(
        cli,
        *({"id": f"p{at}", "type": "paged", "customer": "acme", "time": 1_793_527_200_000 + at} for at in range(1_200)),
    )
    assert cli("events", "list", "--type", "paged", "--limit", "1100") == 0
    rows = [line.split("\t") for line in cli.out.splitlines()]
    assert len(rows) == 1_100
    assert rows[0][4] == "p1199"
    assert len(cli.answer("events", "list", "--type", "paged", "--limit", "1100")["items"]) == 1_100


def test_a_refused_event_is_shown_corrected_and_counted(cli: CommandLine, tmp_path: Path) -> None:
    bad = {"id": "q1", "type": "refused", "customer": "acme", "time": "2026-11-01T10:00:00Z", "value": "many"}
    cli.appliance.client.post("/v1/events", json=[bad])
    [entry] = [
        item for item in cli.answer("quarantine", "list", "--code", "invalid_value")["items"] if "q1" in item["raw"]
    ]
    assert "invalid_value" in [each["code"] for each in cli.answer("quarantine", "reasons")["items"]]
    assert cli("quarantine", "show", entry["id"]) == 0
    assert "many" in cli.out
    assert cli("quarantine", "resubmit", entry["id"]) == 1
    assert cli.err.startswith("tallystick: refused again: invalid_value")
    corrected = tmp_path / "corrected.json"
    corrected.write_text(json.dumps(bad | {"value": 7}))
    assert cli("quarantine", "resubmit", entry["id"], "--file", corrected) == 0
    assert cli.answer("events", "get", "q1")["value"] == "7"
    assert cli("quarantine", "show", entry["id"]) == 1


def test_no_escape_sequence_in_a_name_reaches_the_terminal(cli: CommandLine) -> None:
    name = "\x1b]0;owned\x07\u202egpj"
    send(
        cli,
        {
            "id": "e\x1b[2J",
            "type": "nasty",
            "customer": name,
            "time": "2026-11-01T10:00:00Z",
            "properties": {"\x9b1m": "\x1b"},
        },
    )
    for words in (
        ["events", "list", "--type", "nasty"],
        ["events", "list", "--type", "nasty", "--json"],
        ["customers", "unknown"],
    ):
        assert cli(*words) == 0
        assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(cli.out)
    assert cli("usage", name) == 1
    assert "\x1b" not in cli.err


def test_a_person_sees_aligned_numbers_with_every_digit() -> None:
    out = io.StringIO()
    terminal = Terminal(out, io.StringIO(), for_person=True)
    terminal.table([Column("who"), Column("much", numeric=True)], [["a", 1234567], ["b", 5], ["c", None]])
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[0].split() == ["who", "much"]
    assert lines[2].endswith("1,234,567")
    assert lines[3].endswith("        5")
    assert "\x1b" not in out.getvalue()


def test_a_narrow_terminal_cuts_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out = io.StringIO()
    figure = 12345678901234567890123456
    Terminal(out, io.StringIO(), for_person=True).table(
        [Column("customer"), Column("value", numeric=True)], [["somebody", figure]]
    )
    assert f"{figure:,}" in out.getvalue()


def test_a_wrong_key_is_one_line_that_does_not_repeat_it(cli: CommandLine) -> None:
    assert cli("meters", "list", key="tsk_secret_that_is_wrong") == 1
    assert cli.err.count("\n") == 1
    assert "tsk_secret" not in cli.err


def test_tail_shows_older_events_first_then_each_as_it_lands_across_a_crash(cli: CommandLine, tmp_path: Path) -> None:
    send(cli, {"id": "t1", "type": "tailed", "customer": "acme", "time": "2026-11-01T10:00:00Z"})
    words = ("events", "tail", "--type", "tailed", "--json", "--stop-after", "3")
    with start(*words, url=cli.appliance.url, key=cli.appliance.admin_key, directory=tmp_path) as tail:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["id"] == "t1"
        send(cli, {"id": "t2", "type": "tailed", "customer": "acme", "time": "2026-11-01T10:00:00Z"})
        assert json.loads(tail.stdout.readline())["id"] == "t2"
        cli.appliance.kill()
        cli.appliance.start()
        send(cli, {"id": "t3", "type": "tailed", "customer": "acme", "time": "2026-11-01T10:00:00Z"})
        assert json.loads(tail.stdout.readline())["id"] == "t3"
        assert tail.wait(timeout=30) == 0


def test_ctrl_c_ends_a_tail_with_130_and_without_a_traceback(cli: CommandLine, tmp_path: Path) -> None:
    send(cli, {"id": "i1", "type": "interrupted", "customer": "acme", "time": "2026-11-01T10:00:00Z"})
    words = ("events", "tail", "--type", "interrupted")
    with start(*words, url=cli.appliance.url, key=cli.appliance.admin_key, directory=tmp_path) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert "i1" in tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        try:
            assert tail.wait(timeout=30) == 130
        finally:
            tail.kill()
        assert tail.stderr.read() == ""


def test_the_status_says_what_was_counted_and_the_chain_is_listed(cli: CommandLine) -> None:
    send(cli, {"id": "s1", "type": "status", "customer": "acme"})
    assert cli("status") == 0
    facts = dict(line.split("\t", 1) for line in cli.out.splitlines())
    assert facts["state"] == "takes writes"
    assert int(facts["accepted since start"]) >= 1
    status, head = cli.answer("status"), cli.answer("log", "head")
    assert status["head"] == head
    assert cli("log", "blocks", "--limit", 2) == 0
    newest = cli.out.splitlines()[0].split("\t")
    assert (newest[0], newest[6]) == (head["block"], head["hash"])
    assert cli.answer("log", "block", newest[0])["previous_hash"] == newest[7]
    assert cli("log", "block", 10**9) == 1
    assert "block" in cli.err


def test_a_verification_can_be_asked_about_and_there_must_be_one_to_stop(cli: CommandLine) -> None:
    assert cli("log", "verification", "--stop") == 1
    assert cli.err == "tallystick: no verification runs\n"
    cli.appliance.client.post("/v1/log/verify").raise_for_status()
    assert cli.answer("log", "verification")["last"]["outcome"] == "agrees"
    assert cli("status") == 0
    assert "last verification\tagrees" in cli.out


def test_what_a_customer_has_left_is_shown(cli: CommandLine) -> None:
    assert cli("meters", "create", "left", "--event-type", "left", "--aggregation", "count") == 0
    assert cli("customers", "allowance", "acme", "--meter", "left") == 0
    assert cli.out == ""
    signal = {"key": "left", "meter": "left", "scope": {"customer": "*"}, "filter": {"model": "large"}}
    condition = {"type": "threshold", "limit": "2.5"}
    cli.appliance.client.post("/v1/signals", json=signal | {"condition": condition}).raise_for_status()
    send(cli, {"id": "left", "type": "left", "customer": "acme/eu", "properties": {"model": "large"}})
    assert cli("customers", "allowance", "acme/eu", "--meter", "left") == 0
    shown = cli.out.split("\t")
    assert shown[:6] == ["left", "ok", "1", "2.5", "1.5", "month"]
    answer = cli.answer("customers", "allowance", "acme/eu", "--meter", "left", "--property", "model=large")
    assert (answer["state"], answer["remaining"]) == ("ok", "1.5")
    answer = cli.answer("customers", "allowance", "acme/eu", "--meter", "left", "--property", "model=small")
    assert (answer["state"], answer["limits"]) == ("unlimited", [])
    assert cli("customers", "allowance", "acme", "--meter", "none") == 1
    assert cli("customers", "allowance", "acme") == 2
    assert cli("customers", "allowance", "acme", "--meter", "left", "--property", "model") == 2
