"""The trace that ships with the program is the published one."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from importlib.resources import files

import polars as pl
import pytest

from tallystick.instant import NS_PER_S, Instant, parse_instant
from tallystick_server.demo.trace import CUSTOMER_COUNT, PUBLISHED, SERVICES, event_json, read_trace, split


def frame(service: str) -> pl.DataFrame:
    packed = files("tallystick_server.demo").joinpath(f"traces/azure_llm_2023_{service}.csv.gz").read_bytes()
    return pl.read_csv(gzip.decompress(packed))


@pytest.mark.parametrize("service", SERVICES)
def test_the_sums_are_the_published_ones_and_those_that_polars_makes(service: str) -> None:
    rows = frame(service)
    requests = [request for request in read_trace() if request.service == service]
    made = (
        len(requests),
        sum(request.context_tokens for request in requests),
        sum(request.generated_tokens for request in requests),
        len({request.customer for request in requests}),
    )
    published = PUBLISHED[service]
    assert made == (published.requests, published.context_tokens, published.generated_tokens, published.customers)
    assert made[:3] == (rows.height, rows["ContextTokens"].sum(), rows["GeneratedTokens"].sum())


def test_customers_are_dealt_out_by_the_rule_that_is_stated() -> None:
    requests = [request for request in read_trace() if request.service == "conv" and request.number < 400]
    assert Counter(request.customer for request in requests) == {
        f"customer-{rank:02d}": 2 * rank + 1 for rank in range(CUSTOMER_COUNT)
    }


def test_moving_the_trace_keeps_every_distance_to_the_tenth_of_a_microsecond() -> None:
    requests = read_trace()
    start = Instant(1_793_527_200 * NS_PER_S)
    moved = [parse_instant(json.loads(event_json(request, start))["time"]) - start for request in requests]
    assert moved == [request.offset_ns for request in requests]
    times = pl.concat([frame(service) for service in SERVICES])["TIMESTAMP"].str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", time_unit="ns"
    )
    assert sorted(moved) == (times - times.min()).dt.total_nanoseconds().sort().to_list()


def test_ids_are_unique_and_the_attribution_ships_with_the_rows() -> None:
    requests = read_trace()
    assert len({(request.service, request.number) for request in requests}) == len(requests) == 28_185
    attribution = files("tallystick_server.demo").joinpath("traces/ATTRIBUTION.md").read_text()
    assert "CC BY 4.0" in attribution
    assert "Splitwise" in attribution


def test_the_history_is_the_first_45_minutes() -> None:
    history, live = split(read_trace())
    assert history[-1].offset_ns < 45 * 60 * NS_PER_S <= live[0].offset_ns
    assert len(history) + len(live) == 28_185
