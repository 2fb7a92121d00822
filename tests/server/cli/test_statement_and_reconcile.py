"""Statements are fetched, kept and checked; lists of one's own are compared, whatever their form and order."""

from __future__ import annotations

import csv
import json
import random
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tallystick_server.cli.main import main
from tests.server.cli.command_line import CommandLine

_NUMBERS = count(1)
RANGE = ("--from", "2026-10-01", "--to", "2026-11-01")


@pytest.fixture
def name() -> str:
    """Return a customer and event type that no other test has."""
    return f"stated-{next(_NUMBERS)}"


def rows_of(name: str, size: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{name}-{at}",
            "type": name,
            "customer": name,
            "time": f"2026-10-{1 + at % 28:02d}T10:00:{at % 60:02d}Z",
            "value": at % 100,
            "properties": {"region": "eu" if at % 2 else "us"},
        }
        for at in range(size)
    ]


def send(cli: CommandLine, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 5_000):
        answer = cli.appliance.client.post("/v1/events", json=rows[start : start + 5_000])
        assert answer.json()["rejected"] == [], answer.text


def void(cli: CommandLine, *ids: str) -> None:
    body = {"events": [{"id": each} for each in ids], "reason": "wrong"}
    cli.appliance.client.post("/v1/events/void", json=body).raise_for_status()


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    flat = [
        {name: value for name, value in row.items() if name != "properties"}
        | {f"properties.{name}": value for name, value in row["properties"].items()}
        for row in rows
    ]
    frame = pl.DataFrame(flat)
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def reconcile(cli: CommandLine, *words: object) -> dict[str, Any]:
    """Return what `--json` says, whatever the exit code, which must go with it."""
    code = cli("reconcile", *words, "--json")
    assert cli.out, cli.err
    answer = json.loads(cli.out)
    assert code == (0 if answer["agrees"] else 1)
    return answer


@pytest.mark.parametrize("file", ["list.jsonl", "list.csv", "list.parquet"])
def test_a_list_that_agrees_exits_0_whatever_its_form_and_order(
    cli: CommandLine, name: str, tmp_path: Path, file: str
) -> None:
    rows = rows_of(name, 12_000)
    send(cli, rows)
    random.Random(7).shuffle(rows)
    found = reconcile(cli, write(tmp_path / file, rows), "--customer", name, *RANGE)
    assert found["agrees"] is True
    assert found["same"] == 12_000
    assert found["yours"] == found["appliance"] == {"events": 12_000, "value": 594_000}
    assert set(found["counts"].values()) == {0}


def test_every_difference_is_counted_shown_and_written(cli: CommandLine, name: str, tmp_path: Path) -> None:
    cli.appliance.client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"})
    rows = rows_of(name, 40)
    send(cli, rows)
    void(cli, f"{name}-3")
    rows[1]["value"] = 2.5
    rows[1]["properties"]["region"] = "=cmd()"
    unread = {"id": f"{name}-x", "type": name, "value": "many"}
    lines = [*rows[:38], *rows_of(name, 51)[50:], unread, rows[5], {**rows[6], "value": 7_777}]
    path = write(tmp_path / "list.jsonl", lines)
    with path.open("a") as file:
        file.write(f'"{name}-38"\nnonsense\n')
    out = tmp_path / "differences.csv"
    found = reconcile(cli, path, "--customer", name, *RANGE, "--csv", out)
    assert found["agrees"] is False
    assert found["counts"] == {
        "only_yours": 1,
        "only_appliance": 1,
        "differs": 1,
        "voided": 1,
        "repeated": 2,
        "unreadable": 2,
    }
    assert found["yours"] == {"events": 40, "value": None}
    assert found["appliance"]["events"] == 39
    with out.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["kind"], row["id"], row["field"], row["yours"], row["appliance"]) for row in written[:1]] == [
        ("unreadable", "", "", "", "")
    ]
    differing = {row["field"]: (row["yours"], row["appliance"]) for row in written if row["kind"] == "differs"}
    assert differing == {"value": ("2.5", "1"), "properties.region": ("'=cmd()", "eu")}
    assert {(row["kind"], row["place"]) for row in written if row["kind"] in ("repeated", "only_yours")} == {
        ("only_yours", "line 39"),
        ("repeated", "line 41"),
        ("repeated", "line 42"),
    }
    cli("reconcile", path, "--customer", name, *RANGE, "--show", "2")
    assert "The two sides do not have the same." in cli.out
    assert "--csv PATH writes them all" in cli.err


def test_a_run_with_the_position_of_an_earlier_one_finds_the_same(cli: CommandLine, name: str, tmp_path: Path) -> None:
    rows = rows_of(name, 20)
    send(cli, rows)
    path = write(tmp_path / "list.jsonl", rows)
    first = reconcile(cli, path, "--customer", name, *RANGE)
    send(cli, rows_of(name, 25)[20:])
    void(cli, f"{name}-1")
    assert reconcile(cli, path, "--customer", name, *RANGE, "--as-of", first["as_of"]) == first
    later = reconcile(cli, path, "--customer", name, *RANGE)
    assert (later["counts"]["only_appliance"], later["counts"]["voided"]) == (5, 1)


def test_a_list_of_ids_under_a_name_of_its_own_is_mapped(cli: CommandLine, name: str, tmp_path: Path) -> None:
    rows = [{**row, "source": "gw"} for row in rows_of(name, 10)]
    send(cli, [*rows, *rows_of(name, 2)])
    path = tmp_path / "ids.csv"
    path.write_text("row,request\n" + "".join(f"{at},{row['id']}\n" for at, row in enumerate(rows)))
    words = (path, "--customer", name, *RANGE, "--map", "id=request", "--ignore", "row")
    assert reconcile(cli, *words, "--source", "gw")["agrees"] is True
    assert reconcile(cli, *words)["counts"]["only_yours"] == 8


def test_a_meter_is_made_of_both_sides_of_a_long_list(cli: CommandLine, name: str, tmp_path: Path) -> None:
    client = cli.appliance.client
    client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"}).raise_for_status()
    client.post("/v1/meters", json={"key": f"{name}-max", "event_type": name, "aggregation": "max"}).raise_for_status()
    rows = rows_of(name, 30)
    send(cli, rows)
    path = write(tmp_path / "list.jsonl", rows)
    found = reconcile(cli, path, "--customer", name, *RANGE, "--meter", name, "--batch-size", "7")
    assert found["meters"] == [{"meter": name, "yours": 435, "appliance": 435}]
    assert cli("reconcile", path, "--customer", name, *RANGE, "--meter", f"{name}-max") == 2
    assert "only count and sum add up" in cli.err


@pytest.mark.parametrize(
    "words",
    [
        ("nowhere.jsonl", "--customer", "x"),
        ("nowhere.jsonl", *RANGE),
        ("-x", "--customer", "x", *RANGE),
        ("list.txt", "--customer", "x", *RANGE),
    ],
    ids=" ".join,
)
def test_a_comparison_that_cannot_be_meant_exits_2(cli: CommandLine, words: tuple[str, ...]) -> None:
    assert cli("reconcile", *words) == 2
    assert len(cli.err.strip().splitlines()) == 1


def test_a_statement_is_kept_and_checked_without_the_appliance(
    cli: CommandLine, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = cli.appliance.client
    client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum", "unit": "call"})
    rows = rows_of(name, 25)
    send(cli, rows)
    void(cli, f"{name}-4")
    document, events, receipt = tmp_path / "s.json", tmp_path / "events.jsonl", tmp_path / "r.json"
    words = ("statement", name, *RANGE)
    assert cli(*words, "--meter", name, "--window", "week", "--out", document, "--events-out", events) == 0, cli.err
    assert cli.out.splitlines()[-1].split("\t")[-3:] == ["296", "call", "24"]
    as_of = json.loads(document.read_bytes())["as_of"]
    first = document.read_bytes()
    send(cli, rows_of(name, 30)[25:])
    assert cli(*words, "--meter", name, "--window", "week", "--as-of", as_of, "--out", document) == 0
    assert document.read_bytes() == first
    assert cli(*words, "--as-of", as_of, "--proof", f"{name}-7", "--out", receipt) == 0, cli.err
    assert cli(*words, "--as-of", as_of, "--proof", f"{name}-4") == 1
    assert "voided" in cli.err

    checked = ["verify", "--statement", str(document), "--events", str(events), "--receipt", str(receipt)]
    capsys.readouterr()
    assert main([*checked, "--json"]) == 0, capsys.readouterr()
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(checked) == 0

    document.write_bytes(first.replace(b'"events":24', b'"events":25', 1))
    assert main(checked) == 1
    assert "it was changed" in capsys.readouterr().out
    document.write_bytes(first)
    events.write_bytes(events.read_bytes().replace(b'"value":9', b'"value":8', 1))
    assert main(checked) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("✗") and "the root over them" in line for line in lines)
    assert any(line.startswith("✗") and "the list makes it 295 from 24" in line for line in lines)
    assert main([*checked[:3], "--receipt", str(document)]) == 1
    assert main(["verify", "--statement", str(tmp_path / "none.json")]) == 1
    assert main(["verify", "--statement", str(document), "--url", "http://127.0.0.1:1"]) == 2
    assert main(["verify", "--receipt", str(receipt)]) == 2
