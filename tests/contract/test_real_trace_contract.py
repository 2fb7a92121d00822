"""Real usage: an hour of two language-model services, sent as anybody would send it; every figure equals the same sum in Polars."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import httpx
import polars as pl
import pytest

from tallystick.instant import parse_instant
from tests.appliance import Appliance
from tests.contract.asked import define, exact, usage

TRACES = Path(__file__).resolve().parents[2] / "server" / "tallystick_server" / "demo" / "traces"
# The sums that the dataset is known by: code and conv, context and generated tokens.
KNOWN = {"code": (8_819, 18_059_974, 245_896), "conv": (19_366, 22_361_870, 4_088_665)}
NS_PER_MINUTE = 60 * 10**9
RANGE = {"start": "2023-11-16T00:00:00Z", "end": "2023-11-17T00:00:00Z"}
METERS = {"trace-requests": "requests", "trace-context": "context", "trace-generated": "generated"}


def read_trace() -> pl.DataFrame:
    parts = [
        pl.read_csv(TRACES / f"azure_llm_2023_{service}.csv.gz")
        .with_row_index("number")
        .select(
            pl.lit(service).alias("service"),
            "number",
            pl.col("TIMESTAMP").str.to_datetime(time_unit="ns", strict=True).dt.replace_time_zone("UTC").alias("time"),
            pl.col("ContextTokens").alias("context"),
            pl.col("GeneratedTokens").alias("generated"),
            (pl.lit("customer-") + (pl.col("number") % 13).cast(pl.String)).alias("customer"),
        )
        for service in KNOWN
    ]
    return pl.concat(parts).sort("time", "service", "number")


@pytest.fixture(scope="module")
def trace() -> pl.DataFrame:
    return read_trace()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, trace: pl.DataFrame) -> Iterator[httpx.Client]:
    """Send the trace, in small requests and some of it twice; checkpoints and a kill happen on the way."""
    settings = {"engine.checkpoint_events": 6_000}
    with Appliance(tmp_path_factory.mktemp("trace"), settings=settings) as appliance:
        events = [
            {
                "id": f"{row['service']}-{row['number']}",
                "type": "llm_request",
                "customer": row["customer"],
                "time": row["time_text"],
                "properties": {"service": row["service"], "context": row["context"], "generated": row["generated"]},
            }
            for row in trace.with_columns(
                pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").alias("time_text")
            ).to_dicts()
        ]
        accepted = 0
        for start in range(0, len(events), 700):
            for _ in range(2 if start % 4_900 == 0 else 1):
                accepted += exact(appliance.client.post("/v1/events", json=events[start : start + 700]))["accepted"]
            if start == 14_000:
                appliance.kill()
                appliance.start()
        assert accepted == len(events) == trace.height
        for key, field in METERS.items():
            how = (
                {"aggregation": "count"}
                if field == "requests"
                else {"aggregation": "sum", "field": f"properties.{field}"}
            )
            define(appliance.client, key, **how, event_type="llm_request")
        define(appliance.client, "trace-customers", "unique", field="customer", event_type="llm_request")
        pairs = ["customer", "properties.service", "properties.generated"]
        define(appliance.client, "trace-combinations", "unique", fields=pairs, event_type="llm_request")
        for aggregation in ("avg", "latest", "max", "min"):
            key = f"trace-{aggregation}"
            define(appliance.client, key, aggregation, field="properties.generated", event_type="llm_request")
        for statistic in ("peak", "low", "closing", "average"):
            define(
                appliance.client,
                f"trace-{statistic}",
                "running_total",
                field="properties.generated",
                event_type="llm_request",
                statistic=statistic,
            )
        yield appliance.client


def column(field: str) -> pl.Expr:
    return pl.len() if field == "requests" else pl.col(field).sum()


@pytest.mark.parametrize("service", KNOWN)
def test_the_sums_are_those_that_the_dataset_is_known_by(service: str, loaded: httpx.Client) -> None:
    found = [usage(loaded, key, **RANGE, **{"filter[service]": service})["totals"][0]["value"] for key in METERS]
    assert tuple(found) == KNOWN[service]


@pytest.mark.parametrize(("key", "field"), METERS.items())
@pytest.mark.parametrize("window", ["minute", "hour", "day", "total"])
@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_each_window_of_each_customer_is_the_sum_in_polars(
    key: str, field: str, window: str, timezone: str, loaded: httpx.Client, trace: pl.DataFrame
) -> None:
    answer = usage(loaded, key, **RANGE, window=window, timezone=timezone, group_by="customer,service")
    local = trace.with_columns(pl.col("time").dt.convert_time_zone(timezone).alias("local"))
    every = {"minute": "1m", "hour": "1h", "day": "1d", "total": "1y"}[window]
    # The range cuts the first window where a local day begins before it.
    start = pl.col("local").dt.truncate(every).dt.convert_time_zone("UTC")
    bound = pl.lit(RANGE["start"]).str.to_datetime(time_zone="UTC", time_unit="ns")
    expected = (
        local.with_columns(pl.max_horizontal(start, bound).dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("start"))
        .group_by("customer", "service", "start")
        .agg(column(field).alias("value"), pl.len().alias("events"))
    )
    found = {
        (row["group"]["customer"], row["group"]["service"], row["start"]): (row["value"], row["events"])
        for row in answer["rows"]
    }
    assert found == {row[:3]: row[3:] for row in expected.iter_rows()}


@pytest.mark.parametrize("minutes", [(0, 60), (18 * 60 + 17, 18 * 60 + 47), (18 * 60 + 20, 18 * 60 + 21)])
def test_any_exact_range_is_the_sum_in_polars(
    minutes: tuple[int, int], loaded: httpx.Client, trace: pl.DataFrame
) -> None:
    midnight = pl.datetime(2023, 11, 16, time_zone="UTC", time_unit="ns")
    inside = trace.filter(
        pl.col("time") >= midnight + pl.duration(minutes=minutes[0], milliseconds=333),
        pl.col("time") < midnight + pl.duration(minutes=minutes[1], milliseconds=777),
    )
    start, end = (
        f"2023-11-16T{at // 60:02d}:{at % 60:02d}:00.{fraction}Z"
        for at, fraction in zip(minutes, (333, 777), strict=True)
    )
    for key, field in METERS.items():
        totals = usage(loaded, key, start=start, end=end)["totals"]
        expected = inside.select(column(field)).item()
        assert sum(total["value"] for total in totals) == expected
    distinct = usage(loaded, "trace-customers", start=start, end=end)["totals"]
    assert sum(total["value"] for total in distinct) == inside["customer"].n_unique()


@pytest.mark.parametrize("window", ["minute", "hour", "total"])
def test_means_latest_and_distinct_combinations_are_those_in_polars(
    window: str, loaded: httpx.Client, trace: pl.DataFrame
) -> None:
    every = {"minute": "1m", "hour": "1h", "total": "1y"}[window]
    bound = pl.lit(RANGE["start"]).str.to_datetime(time_zone="UTC", time_unit="ns")
    start = pl.max_horizontal(pl.col("time").dt.truncate(every), bound).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = (
        trace.with_columns(start.alias("start"))
        .group_by("service", "start")
        .agg(
            pl.col("generated").sum().alias("sum"),
            pl.len().alias("count"),
            pl.col("generated").sort_by("time", "number").last().alias("latest"),
            pl.struct("customer", "service", "generated").n_unique().alias("combinations"),
        )
    )
    figures = {
        key: {
            (row["group"]["service"], row["start"]): row["value"]
            for row in usage(loaded, f"trace-{key}", **RANGE, window=window, group_by="service")["rows"]
        }
        for key in ("avg", "latest", "combinations")
    }
    by_window = {(row["service"], row["start"]): row for row in expected.to_dicts()}
    means = {at: Decimal(row["sum"]) / row["count"] for at, row in by_window.items()}
    twelfth = Decimal(1).scaleb(-12)
    assert figures["avg"] == {at: mean.quantize(twelfth, ROUND_HALF_EVEN) for at, mean in means.items()}
    assert figures["latest"] == {at: row["latest"] for at, row in by_window.items()}
    assert figures["combinations"] == {at: row["combinations"] for at, row in by_window.items()}


def test_a_running_total_is_the_running_sum_in_plain_python(loaded: httpx.Client, trace: pl.DataFrame) -> None:
    moves: dict[int, int] = {}
    for time, generated in trace.select(pl.col("time").dt.epoch("ns"), "generated").iter_rows():
        moves[time] = moves.get(time, 0) + generated
    begin = min(moves) // NS_PER_MINUTE * NS_PER_MINUTE
    times, level, lines = sorted(moves), 0, dict[int, list[tuple[int, int]]]()
    # For each minute the level carried in, and each instant at which it changed.
    for minute in range(begin, times[-1] + 1, NS_PER_MINUTE):
        line = [(minute, level)]
        while times and times[0] < minute + NS_PER_MINUTE:
            level += moves[times[0]]
            line.append((times.pop(0), level))
        lines[minute] = [
            step
            for step, after in zip(line, [*line[1:], (minute + NS_PER_MINUTE, 0)], strict=True)
            if step[0] < after[0]
        ]
    expected = {
        "peak": {minute: max(level for _, level in line) for minute, line in lines.items()},
        "low": {minute: min(level for _, level in line) for minute, line in lines.items()},
        "closing": {minute: line[-1][1] for minute, line in lines.items()},
        "average": {
            minute: round(
                Fraction(
                    sum(
                        level * (end - start)
                        for (start, level), (end, _) in pairwise([*line, (minute + NS_PER_MINUTE, 0)])
                    ),
                    NS_PER_MINUTE,
                ),
                12,
            )
            for minute, line in lines.items()
        },
    }
    last = max(lines) + NS_PER_MINUTE
    asked = {"start": str(begin // 1_000_000), "end": str(last // 1_000_000)}
    for statistic, by_minute in expected.items():
        rows = usage(loaded, f"trace-{statistic}", **asked, window="minute")["rows"]
        found = {parse_instant(row["start"]): Fraction(row["value"]) for row in rows}
        assert found == {minute: figure for minute, figure in by_minute.items() if figure or statistic == "low"}
    after = usage(loaded, "trace-closing", start=RANGE["end"], end="2023-11-18T00:00:00Z")["totals"]
    assert [(total["value"], total["events"]) for total in after] == [(trace["generated"].sum(), 0)]


def test_the_figures_are_explained_event_by_event(loaded: httpx.Client, trace: pl.DataFrame) -> None:
    asked: dict[str, str | int] = {
        "from": RANGE["start"],
        "to": RANGE["end"],
        "limit": 1_000,
        "filter[service]": "code",
    }
    amounts: dict[str, int] = {}
    while True:
        page = exact(loaded.get("/v1/meters/trace-generated/explain", params=asked))
        amounts |= {item["id"]: item["amount"] for item in page["items"]}
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    numbered = trace.filter(pl.col("service") == "code").select("number", "generated").iter_rows()
    assert amounts == {f"code-{number}": generated for number, generated in numbered}


def test_the_command_line_says_the_same(loaded: httpx.Client, trace: pl.DataFrame) -> None:
    shown = subprocess.run(
        [
            sys.executable, "-m", "tallystick_server", "usage", "trace-generated", "--from", RANGE["start"], "--to", RANGE["end"],
            "--url", str(loaded.base_url), "--api-key", loaded.headers["authorization"].removeprefix("Bearer "), "--json",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)["totals"][0]["value"] == trace["generated"].sum()
