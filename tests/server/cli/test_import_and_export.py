"""Loading and unloading through a real appliance: everything once, nothing changed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.appliance import Appliance
from tests.server.cli.command_line import CommandLine, start


def counted(appliance: Appliance, event_type: str) -> list[dict[str, Any]]:
    """Return the events of a type as the log has them, without what differs between two logs."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"type": event_type, "limit": "1000"} | ({} if cursor is None else {"cursor": cursor})
        page = json.loads(appliance.client.get("/v1/events", params=params).text, parse_float=str, parse_int=str)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    kept = [{name: item[name] for name in item if name not in {"position", "received_at"}} for item in items]
    return sorted(kept, key=lambda item: (item["source"], item["id"]))


def rows_of(event_type: str, count: int, first: int = 0) -> list[dict[str, object]]:
    return [
        {"type": event_type, "customer": f"c{at % 7}", "time": f"2026-11-01T10:00:{at % 60:02d}Z", "value": at}
        for at in range(first, first + count)
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif path.suffix == ".csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["twice.jsonl", "twice.csv", "twice.parquet", "twice.jsonl.gz"])
def test_a_file_without_ids_that_is_loaded_twice_counts_once(name: str, cli: CommandLine, tmp_path: Path) -> None:
    kind = f"twice-{name}"
    path = write(tmp_path / name, rows_of(kind, 1_000))
    summary = cli.answer("import", path, "--batch-size", "64")
    assert summary == {"accepted": "1000", "duplicates": "0", "conflicts": "0", "rejected": "0"}
    summary = cli.answer("import", path, "--batch-size", "333", "--in-flight", "1")
    assert summary == {"accepted": "0", "duplicates": "1000", "conflicts": "0", "rejected": "0"}
    assert len(counted(cli.appliance, kind)) == 1_000


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_file_that_grew_counts_only_what_was_added(suffix: str, cli: CommandLine, tmp_path: Path) -> None:
    kind = f"grown{suffix}"
    assert cli("import", write(tmp_path / f"a{suffix}", rows_of(kind, 10))) == 0
    summary = cli.answer("import", write(tmp_path / f"b{suffix}", rows_of(kind, 15)))
    assert (summary["accepted"], summary["duplicates"]) == ("5", "10")


def test_rows_that_say_the_same_are_events_of_their_own(cli: CommandLine, tmp_path: Path) -> None:
    rows = rows_of("same", 1) * 5
    assert cli.answer("import", write(tmp_path / "a.jsonl", rows))["accepted"] == "5"


def test_a_removed_line_makes_conflicts_rather_than_counting_its_neighbours_twice(
    cli: CommandLine, tmp_path: Path
) -> None:
    rows = rows_of("removed", 10)
    assert cli("import", write(tmp_path / "a.jsonl", rows)) == 0
    assert cli("import", write(tmp_path / "a.jsonl", rows[:4] + rows[5:]), "--json") == 1
    assert json.loads(cli.out) == {"accepted": 0, "duplicates": 4, "conflicts": 5, "rejected": 5}
    assert len(counted(cli.appliance, "removed")) == 10


def test_refused_records_are_listed_written_and_never_take_their_neighbours_down(
    cli: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    good = [json.dumps(row) for row in rows_of("neighbours", 6)]
    bad = ['{"type":"neighbours"}', "not json", '{"type":"neighbours","customer":"c","value":"NaN","id":"n"}']
    path.write_text("\n".join([*good[:2], *bad, *good[2:]]))
    rejected = tmp_path / "rejected.jsonl"
    assert cli("import", path, "--rejected", rejected) == 1
    assert cli.out.startswith("accepted\t6\n")
    assert "line 4" in cli.err
    written = [json.loads(line) for line in rejected.read_text().splitlines()]
    assert sorted((one["place"], one["code"]) for one in written) == [
        ("line 3", "missing_customer"),
        ("line 4", "invalid_json"),
        ("line 5", "invalid_value"),
    ]
    assert {one["event"]["id"] for one in written if one["place"] == "line 5"} == {"n"}


def test_the_file_of_refused_records_may_not_be_one_that_is_loaded(cli: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of("own-foot", 1))
    assert cli("import", path, "--rejected", path) == 2
    assert path.stat().st_size > 0


def test_csv_is_mapped_and_its_constants_set(cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("when;account;amount;region;noise\n2026-11-01 10:00:00;acme;1.50;eu;x\n")
    options = ["--map", "time=when", "--map", "customer=account", "--map", "value=amount", "--set", "type=mapped"]
    assert cli("import", path, *options, "--ignore", "noise", "--timezone", "Europe/Berlin", "--id-seed", "s") == 0
    [event] = counted(cli.appliance, "mapped")
    assert (event["time"], event["customer"], event["value"], event["properties"]) == (
        "2026-11-01T09:00:00Z",
        "acme",
        "1.5",
        {"region": "eu"},
    )


NASTY: list[dict[str, object]] = [
    {"id": "plain", "value": 1},
    {"id": "none", "source": "gw", "value": "0.000000000001", "properties": {}},
    {
        "id": "wide",
        "value": "-99999999999999999999999999.123456789012",
        "properties": {"n": 0.5, "t": True, "f": False},
    },
    {"id": '"quoted", with\nlines\tand ; commas', "value": 1e3, "properties": {"a,b": 'c"d', "e\nf": "=1+1"}},
    {"id": "=HYPERLINK()", "source": "\u202e", "value": 0, "properties": {"zip": "01234", "version": "1.10"}},
    {"id": "ünïcode 東京 🙂", "value": 1.25, "properties": {"bell": "a\u0007b", "esc": "\u001b[0m"}},
]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".jsonl.gz", ".csv.gz"])
def test_what_is_exported_and_imported_elsewhere_is_the_same(
    suffix: str, cli: CommandLine, other_appliance: Appliance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = f"round{suffix}"
    time = "2026-11-01T10:00:00.123456789Z"
    events = [
        {**event, "id": f"{event['id']}{kind}", "type": kind, "customer": "acme", "time": time} for event in NASTY
    ]
    cli.appliance.client.post("/v1/events", json=events).raise_for_status()
    void = {"events": [{"source": "", "id": f"gone{kind}"}], "reason": "test"}
    gone = {"id": f"gone{kind}", "type": kind, "customer": "acme", "time": time}
    cli.appliance.client.post("/v1/events", json=[gone]).raise_for_status()
    cli.appliance.client.post("/v1/events/void", json=void).raise_for_status()
    out = tmp_path / f"out{suffix}"
    assert cli("export", "--from", "2026-11-01", "--to", "2026-11-02", "--type", kind, out) == 0
    assert "1 voided ones left out" in cli.err
    elsewhere = CommandLine(other_appliance, capsys)
    assert elsewhere("import", out) == 0, elsewhere.err
    expected = [event for event in counted(cli.appliance, kind) if event["state"] == "counted"]
    assert counted(other_appliance, kind) == expected
    assert len(expected) == len(NASTY)
    assert cli.answer("import", out)["duplicates"] == str(len(NASTY))


def test_an_export_of_several_pages_is_whole(cli: CommandLine, tmp_path: Path) -> None:
    assert cli("import", write(tmp_path / "a.jsonl", rows_of("pages", 2_500))) == 0
    for suffix in (".jsonl", ".csv", ".parquet"):
        out = tmp_path / f"out{suffix}"
        assert cli("export", "--from", "2026-11-01", "--type", "pages", out) == 0
        assert cli.answer("import", out) == {"accepted": "0", "duplicates": "2500", "conflicts": "0", "rejected": "0"}
    assert sorted(path.name for path in tmp_path.iterdir() if "partial" in path.name) == []


def test_an_empty_export_is_an_empty_file_of_its_kind(cli: CommandLine, tmp_path: Path) -> None:
    for suffix in (".jsonl", ".csv", ".parquet"):
        out = tmp_path / f"out{suffix}"
        assert cli("export", "--type", "nothing-has-it", out) == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert (tmp_path / "out.csv").read_text() == "id,source,type,customer,time,value,properties\n"
    assert pl.read_parquet(tmp_path / "out.parquet").schema["value"] == pl.Decimal(38, 12)


def test_formulas_in_csv_are_told_and_disarmed_on_request(cli: CommandLine, tmp_path: Path) -> None:
    event = {"id": "=1+1", "type": "formula", "customer": "@SUM(A1)", "time": "2026-11-01T10:00:00Z"}
    cli.appliance.client.post("/v1/events", json=[event]).raise_for_status()
    out = tmp_path / "out.csv"
    assert cli("export", "--type", "formula", out) == 0
    assert "2 cells begin like formulas" in cli.err
    assert cli("export", "--type", "formula", "--spreadsheet-safe", out) == 0
    assert "'=1+1,,formula,'@SUM(A1)" in out.read_text()


def test_an_import_lives_through_a_kill_of_the_appliance(cli: CommandLine, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of("survives", 20_000))
    words = ("import", path, "--batch-size", "100", "--json")
    with start(*words, url=cli.appliance.url, key=cli.appliance.admin_key, directory=tmp_path) as loading:
        meter = {"key": "survives", "name": "s", "event_type": "survives", "aggregation": "count"}
        cli.appliance.client.post("/v1/meters", json=meter).raise_for_status()
        while not counted(cli.appliance, "survives"):
            pass
        cli.appliance.kill()
        cli.appliance.start()
        out, err = loading.communicate(timeout=60)
        assert loading.returncode == 0, err
    summary = json.loads(out)
    assert summary["accepted"] + summary["duplicates"] == 20_000
    usage = cli.answer("usage", "survives", "--from", "2026-11-01")
    assert usage["totals"][0]["value"] == "20000"
