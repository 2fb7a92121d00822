"""`usage`, `preview`, `meters versions` and `meters skipped` against an appliance, and how answers look to a person."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallystick_server.cli.dimensions_table import show_dimensions
from tallystick_server.cli.terminal import Terminal
from tallystick_server.cli.usage_chart import show_chart
from tallystick_server.cli.usage_table import show_usage
from tests.server.cli.command_line import CommandLine

RANGE = ("--from", "2026-11-01", "--to", "2026-11-08")


@pytest.fixture
def tokens(cli: CommandLine, request: pytest.FixtureRequest) -> str:
    key = f"t{abs(hash(request.node.name))}"
    common = {"type": key, "time": "2026-11-02T10:00:00Z"}
    events = [
        common | {"id": "1", "customer": "acme", "value": 5, "properties": {"n": 8, "region": "eu"}},
        common | {"id": "2", "customer": "bolt", "value": 2, "properties": {"n": "many", "region": "us"}},
        common | {"id": "3", "customer": "cargo", "value": 1, "properties": {"region": "eu"}},
        common | {"id": "4", "customer": "bolt", "value": 4, "time": "2026-10-26T10:00:00Z", "properties": {"n": 1}},
    ]
    body = [event | {"id": f"{key}-{event['id']}"} for event in events]
    cli.appliance.client.post("/v1/events", json=body).raise_for_status()
    assert cli("meters", "create", key, "--event-type", key, "--aggregation", "sum") == 0, cli.err
    return key


def test_by_and_top_ask_for_the_largest_groups(cli: CommandLine, tokens: str) -> None:
    assert cli("usage", tokens, *RANGE, "--window", "day", "--by", "customer", "--top", "2") == 0
    assert [line.split("\t")[2:] for line in cli.out.splitlines()] == [["acme", "5", "1"], ["bolt", "2", "1"]]


def test_one_customer_is_asked_for_as_explain_is_asked(cli: CommandLine, tokens: str) -> None:
    for words in (["--customer", "bolt"], ["-c", "bolt"], ["--filter", "customer=bolt"]):
        assert cli.answer("usage", tokens, *RANGE, *words)["totals"][0]["value"] == "2"
    assert cli("explain", tokens, *RANGE, "-c", "bolt", "--by", "region") == 0, cli.err


def test_last_is_a_range_of_its_own(cli: CommandLine, tokens: str) -> None:
    answer = cli.answer("usage", tokens, "--last", "3mo", "--window", "month", "--fill", "zero")
    assert len(answer["rows"]) == 3
    now = datetime.now(UTC)
    day = cli.answer("usage", tokens, "--last", "2d", "--window", "hour", "--fill", "zero")
    assert len(day["rows"]) == 48
    assert now < datetime.fromisoformat(day["to"]) <= datetime.now(UTC) + timedelta(days=1)
    assert cli("usage", tokens, "--last", "2d", "--from", "-1d") == 2
    assert "--last" in cli.err


def test_compare_shows_the_period_before_and_the_change(cli: CommandLine, tokens: str) -> None:
    assert cli("usage", tokens, *RANGE, "--by", "customer", "--compare", "--totals") == 0
    assert cli.out.splitlines() == ["acme\t5\t1\t0\t5\t", "bolt\t2\t1\t4\t-2\t-50", "cargo\t1\t1\t0\t1\t"]
    assert cli("usage", tokens, *RANGE, "--compare", "--csv") == 0
    assert cli.out.splitlines()[1] == "2026-11-01T00:00:00Z,2026-11-08T00:00:00Z,8,3,4,4,100"


def test_an_older_version_is_asked_and_versions_are_listed(cli: CommandLine, tokens: str) -> None:
    assert cli("meters", "update", tokens, "--aggregation", "count") == 0
    assert cli.answer("usage", tokens, *RANGE)["totals"][0]["value"] == "3"
    assert cli.answer("usage", tokens, *RANGE, "--meter-version", "1")["totals"][0]["value"] == "8"
    assert cli("meters", "versions", tokens) == 0
    rows = [line.split("\t") for line in cli.out.splitlines()]
    assert [(row[0], row[5]) for row in rows] == [("2", "count"), ("1", "sum")]
    assert cli("usage", tokens, *RANGE, "--meter-version", "7") == 1
    assert "versions 1 to 2" in cli.err


def test_skipped_events_are_listed_with_their_reasons(cli: CommandLine, tokens: str) -> None:
    assert cli("meters", "update", tokens, "--field", "properties.n") == 0
    assert cli("meters", "skipped", tokens, *RANGE) == 0
    assert [line.split("\t")[1] for line in cli.out.splitlines()] == ["cargo", "bolt"]
    answer = cli.answer("meters", "skipped", tokens, *RANGE, "--limit", "1")
    assert [each["reasons"][0]["code"] for each in answer["items"]] == ["missing"]


def test_what_a_meter_can_be_grouped_by_is_listed_for_programs_and_for_people(cli: CommandLine, tokens: str) -> None:
    assert cli("meters", "dimensions", tokens, *RANGE, "--name", "region") == 0
    assert cli.out == "region\teu\t2\nregion\tus\t1\n"
    answer = cli.answer("meters", "dimensions", tokens, "--values", "1")
    assert [(item["name"], item["distinct"], len(item["values"])) for item in answer["items"]] == [
        ("customer", "3", 1),
        ("n", "3", 1),
        ("region", "2", 1),
    ]
    terminal = Terminal(io.StringIO(), io.StringIO(), for_person=True)
    cut = b'{"events":1,"complete":false,"items":[{"name":"region","events":2,"distinct":2,"values":[{"value":"eu","events":1}]}]}'
    show_dimensions(terminal, cut, as_json=False)
    assert isinstance(terminal.out, io.StringIO)
    assert isinstance(terminal.err, io.StringIO)
    assert "most frequent" in terminal.out.getvalue()
    assert "there are older ones" in terminal.err.getvalue()
    assert cli("meters", "dimensions", tokens, "--values", "1001") == 1
    assert "values" in cli.err


def test_a_meter_is_tried_with_everything_that_usage_takes(cli: CommandLine, tokens: str) -> None:
    described = ("--event-type", tokens, "--aggregation", "sum", "--filter", "region=eu")
    assert cli("preview", *described, *RANGE, "--by", "customer", "--top", "1", "--window", "day") == 0
    assert cli.out == "2026-11-02T00:00:00Z\t2026-11-03T00:00:00Z\tacme\t5\t1\n"
    answer = cli.answer("preview", *described, *RANGE, "--compare", "--fill", "zero", "--window", "day")
    assert len(answer["rows"]) == 7
    assert cli("preview", *described, *RANGE, "--csv") == 0
    assert cli.out.splitlines()[1].endswith(",6,2")
    unique = (
        "--event-type",
        tokens,
        "--aggregation",
        "unique",
        "--fields",
        "customer",
        "--fields",
        "properties.region",
    )
    assert cli.answer("preview", *unique, *RANGE)["totals"][0]["value"] == "3"
    assert cli("preview", "--aggregation", "sum", *RANGE) == 2
    assert "--event-type" in cli.err
    assert cli("preview", *described, *RANGE, "--window", "fortnight") == 2
    assert cli("preview", "--event-type", tokens, "--aggregation", "median", *RANGE) == 1
    assert "median" in cli.err


def test_a_level_is_described_by_its_options(cli: CommandLine, tokens: str) -> None:
    seats = ("--event-type", tokens, "--aggregation", "running_total", "--timeout", "3600", "--statistic", "closing")
    assert cli("meters", "create", f"{tokens}-seats", *seats, "--series", "region") == 0, cli.err
    meter = cli.answer("meters", "show", f"{tokens}-seats")
    assert (meter["timeout"], meter["statistic"], meter["series"]) == ("3600", "closing", "region")


@pytest.mark.parametrize(
    "pair", [("--csv", "--json"), ("--chart", "--json"), ("--chart", "--csv"), ("--totals", "--csv")]
)
def test_forms_of_an_answer_exclude_each_other(cli: CommandLine, pair: tuple[str, str]) -> None:
    assert cli("usage", "any", *pair) == 2
    assert "exclude each other" in cli.err


def test_an_unknown_meter_is_a_failure_in_one_line(cli: CommandLine) -> None:
    assert cli("usage", "never-defined", "--chart") == 1
    assert cli.err == "tallystick: no meter has the key 'never-defined'\n"


def test_a_chart_in_a_pipe_has_a_chart_for_each_group(cli: CommandLine, tokens: str) -> None:
    assert cli("usage", tokens, *RANGE, "--window", "day", "--by", "customer", "--chart") == 0
    lines = cli.out.splitlines()
    assert [line for line in lines if line.startswith("customer=")] == [
        "customer=acme   total 5",
        "customer=bolt   total 2",
        "customer=cargo   total 1",
    ]
    assert "\x1b" not in cli.out
    assert cli("usage", tokens, *RANGE, "--by", "customer", "--chart") == 0
    assert "customer=acme   █" in cli.out


def reply(values: list[object], *, window: str = "day", names: tuple[str, ...] = (), **fields: Any) -> bytes:
    """Return an answer of one row a day for each group."""
    group = dict.fromkeys(names, "=cmd()\x1b[2J")
    start = datetime(2026, 11, 1, tzinfo=UTC)
    times = [f"{start + timedelta(days=day):%Y-%m-%dT00:00:00Z}" for day in range(len(values) + 1)]
    rows = [
        {"start": times[at], "end": times[at + 1], "group": group, "value": value, "events": 1} | fields
        for at, value in enumerate(values)
    ]
    totals = [{"group": group, "value": 9, "events": 3} | fields] if values else []
    body: dict[str, object] = {"meter": "calls", "from": times[0], "to": times[-1], "window": window}
    if fields:
        body["compared_with"] = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    return json.dumps(body | {"rows": rows, "totals": totals}).encode()


def look(
    monkeypatch: pytest.MonkeyPatch, body: bytes, *, chart: bool, width: int = 80, totals_only: bool = False
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    terminal = Terminal(out, io.StringIO(), for_person=True)
    if chart:
        show_chart(terminal, body, zone_name="UTC")
    else:
        show_usage(terminal, body, zone_name="UTC", totals_only=totals_only)
    return out.getvalue().splitlines()


def test_a_person_sees_a_bar_beside_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = look(monkeypatch, reply([4, 2, None, 1]), chart=False)
    assert lines[0] == "calls, 2026-11-01 to 2026-11-05 UTC"
    bars = [line.rstrip().rsplit(" ", 1)[-1] for line in lines if line.startswith("2026-11-")]
    assert bars == ["█" * 32, "█" * 16, "1", "█" * 8]
    assert all(len(line) <= 80 for line in lines)
    narrow = look(monkeypatch, reply([4, 2]), chart=False, width=30)
    assert not any("█" in line for line in narrow)


def test_a_person_sees_what_a_figure_is_compared_with(monkeypatch: pytest.MonkeyPatch) -> None:
    body = reply([4], previous=2, change=2, change_percent=100)
    lines = look(monkeypatch, body, chart=False)
    assert lines[0].endswith("beside 2026-10-01 to 2026-11-01")
    assert any("previous" in line and "change %" in line for line in lines)
    assert "before 2 (+100 %)" in "\n".join(look(monkeypatch, body, chart=True))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 30, 78, 79, 80, 400])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_chart_fits_whatever_the_width_and_the_number_of_windows(
    monkeypatch: pytest.MonkeyPatch, count: int, width: int
) -> None:
    lines = look(monkeypatch, reply([day % 7 + 1 for day in range(count)]), chart=True, width=width)
    drawn = [line for line in lines if "┤" in line or "│" in line]
    assert len(drawn) == 12
    assert max(map(len, drawn)) <= width
    assert any("█" in line for line in drawn)
    noted = lines[-1].strip()
    assert noted == "a column a day" or (noted.startswith("a column is") and count > width - 4)


def test_names_in_a_chart_do_nothing_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for window in ("day", "total"):
        text = "\n".join(look(monkeypatch, reply([1, 2], window=window, names=("customer",)), chart=True))
        assert "\x1b" not in text
        assert "customer==cmd()" in text


def test_nothing_to_draw_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(monkeypatch, reply([]), chart=True)[-1] == "No usage in this range."
    assert look(monkeypatch, reply([]), chart=False)[-1] == "No usage in this range."
