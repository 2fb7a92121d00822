"""Plugins over HTTP: found, listed, used like built-in aggregations, and named when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.appliance import Appliance, ApplianceFailed
from tests.plugin_folder import write_plugin
from tests.server.test_http_meters import RANGE, send

OPTIONS = """
class Share(Options, frozen=True):
    share: Annotated[Decimal, msgspec.Meta(description="what part of it")]
    kind: str = "plain"

class Plain(AggregatorPlugin[Total, Share]):
    summary = "a part of the total"
    nothing = Decimal(0)

    def fold(self, batch: Batch) -> Total:
        return Total(sum(batch.decimals("amount"), Decimal(0)))

    def merge(self, left: Total, right: Total) -> Total:
        return Total(left.total + right.total)

    def read(self, state: Total) -> Decimal | None:
        return state.total * self.options.share
"""
FRAGILE = """
class Plain(Plain):
    summary = "fails where the customer is at fault"

    @property
    def inputs(self):
        return {"amount": number(self.field), "who": text("customer")}

    def fold(self, batch: Batch) -> Total:
        if "zoe" in batch.texts("who"):
            raise LookupError("no price for zoe")
        return super().fold(batch)
"""


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Start an appliance with plugins beside it, good and bad."""
    folder = tmp_path_factory.mktemp("plugins")
    write_plugin(folder, "share_of", OPTIONS, version="3.1")
    write_plugin(folder, "fragile", FRAGILE)
    write_plugin(folder, "unlicensed", "raise RuntimeError('no licence')")
    write_plugin(folder, "impostor", names={"sum": "Plain"})
    with Appliance(tmp_path_factory.mktemp("plugged"), settings={"plugins_dir": folder}) as running:
        yield running


@pytest.fixture
def client(plugged: Appliance) -> httpx.Client:
    return plugged.client


def listed(client: httpx.Client, name: str) -> list[dict[str, Any]]:  # Any: JSON
    return [each for each in client.get("/v1/aggregators").json()["items"] if each["name"] == name]


def problem(answer: httpx.Response, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:tallystick:problem:{code}"
    return answer.json()["detail"]


def test_a_plugin_is_listed_with_its_package_and_the_schema_of_its_options(client: httpx.Client) -> None:
    (share,) = listed(client, "share_of")
    assert (share["source"], share["package"], share["version"], share["error"]) == ("plugin", "share_of", "3.1", None)
    assert share["options"] == ["options"]
    properties = share["options_schema"]["$defs"]["Share"]["properties"]
    assert properties["share"]["description"] == "what part of it"
    assert properties["share"]["type"] == ["number", "string"]
    (count,) = listed(client, "count")
    assert (count["source"], count["package"], count["options_schema"]) == ("built-in", "tallystick", None)


def test_a_plugin_that_cannot_be_used_is_listed_with_the_reason(client: httpx.Client) -> None:
    assert listed(client, "unlicensed")[0]["error"] == "RuntimeError: no licence"
    built_in, impostor = listed(client, "sum")
    assert built_in["error"] is None
    assert impostor["error"] == "its name is taken by the appliance itself"
    assert impostor["package"] == "impostor"


def test_a_meter_of_a_plugin_answers_like_any_other(client: httpx.Client, name: str) -> None:
    send(
        client, name,
        {"value": 10, "time": "2026-11-02T10:00:00Z", "properties": {"region": "eu"}},
        {"value": 20, "time": "2026-11-03T10:00:00Z", "properties": {"region": "us"}},
        {"value": 30, "time": "2026-11-03T11:00:00Z", "customer": "beta", "properties": {"region": "eu"}},
    )  # fmt: skip
    meter = {"event_type": name, "aggregation": "share_of", "options": {"share": "0.1"}}
    created = client.post("/v1/meters", json=meter | {"key": name})
    assert created.status_code == 201, created.text
    assert created.json()["options"] == {"share": "0.1"}
    url = f"/v1/meters/{name}/usage"
    total = client.get(url, params=RANGE).json()["totals"]
    assert total == [{"group": {}, "value": 6, "events": 3}]
    by_day = client.get(url, params=RANGE | {"window": "day", "group_by": "region", "fill": "zero"}).json()
    assert [row["value"] for row in by_day["rows"]] == [0, 1, 3, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert [row["value"] for row in by_day["totals"]] == [4, 2]
    filtered = client.get(url, params=RANGE | {"filter[region]": "eu", "group_by": "customer", "limit": 1}).json()
    assert [(row["group"], row["value"]) for row in filtered["totals"]] == [({"customer": "beta"}, 3)]
    lines = client.get(url, params=RANGE | {"group_by": "customer"}, headers={"accept": "text/csv"}).text.splitlines()
    assert lines[0] == "start,end,customer,value,events"
    assert [line.split(",")[2:] for line in lines[1:]] == [["acme", "3", "2"], ["beta", "3", "1"]]
    preview = client.post("/v1/meters/preview", json={"meter": meter, "query": RANGE | {"window": "week"}})
    assert [row["value"] for row in preview.json()["rows"]] == [6]


@pytest.mark.parametrize(
    ("options", "pointer", "said"),
    [
        ({}, "options.share", "is required; there are: share, kind"),
        ({"share": 1, "kynd": "x"}, "options.kynd", "is no option; there are: share, kind"),
        ({"share": True}, "options.share", "must be a number, not true or false"),
        ({"share": "NaN"}, "options.share", "finite number"),
        ({"share": 1, "kind": ["x"]}, "options.kind", "must be a text, not a list"),
    ],
)
def test_an_option_that_is_wrong_is_a_422_that_names_it(
    client: httpx.Client, name: str, options: dict[str, object], pointer: str, said: str
) -> None:
    meter = {"event_type": name, "aggregation": "share_of", "options": options}
    for answer in (
        client.post("/v1/meters", json=meter | {"key": name}),
        client.post("/v1/meters/preview", json={"meter": meter, "query": RANGE}),
    ):
        assert said in problem(answer, 422, "invalid_definition")
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_plugin_that_raises_is_named_and_takes_nothing_down(
    plugged: Appliance, client: httpx.Client, name: str
) -> None:
    for key, aggregation in ((name, "fragile"), (f"{name}-sum", "sum")):
        created = client.post("/v1/meters", json={"key": key, "event_type": name, "aggregation": aggregation})
        assert created.status_code == 201, created.text
    send(client, name, {"value": 1})
    assert client.get(f"/v1/meters/{name}/usage", params=RANGE).json()["totals"][0]["value"] == 1
    send(client, name, {"value": 2, "customer": "zoe", "id": f"{name}-zoe"})
    said = problem(client.get(f"/v1/meters/{name}/usage", params=RANGE), 424, "plugin_failed")
    assert said == ("the aggregation 'fragile' of the plugin fragile 1.0 failed in fold: LookupError: no price for zoe")
    both = {"queries": [{"meter": f"{name}-sum"} | RANGE, {"meter": name} | RANGE]}
    assert problem(client.post("/v1/usage", json=both), 424, "plugin_failed").startswith("queries[1]: the aggregation")
    assert client.get(f"/v1/meters/{name}-sum/usage", params=RANGE).json()["totals"][0]["value"] == 3
    others = client.get(f"/v1/meters/{name}/usage", params=RANGE | {"filter[customer]": "acme"})
    assert others.json()["totals"][0]["value"] == 1
    assert client.get("/health/ready").status_code == 200
    counted = [
        line for line in client.get("/metrics").text.splitlines() if line.startswith("tallystick_plugin_failures_total")
    ]
    assert 'tallystick_plugin_failures_total{aggregation="fragile",function="fold",package="fragile"} 2.0' in counted
    assert (
        'tallystick_plugin_failures_total{aggregation="unlicensed",function="being imported",package="unlicensed"} 1.0'
        in counted
    )
    assert "LookupError" in plugged.log
    assert "fragile.py" in plugged.log


def test_a_meter_of_a_plugin_that_cannot_be_imported_is_refused_with_the_reason(
    client: httpx.Client, name: str
) -> None:
    answer = client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "unlicensed"})
    assert problem(answer, 424, "plugin_failed").endswith("failed in being imported: RuntimeError: no licence")


def test_a_meter_whose_plugin_is_gone_stays_readable_and_says_what_is_missing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "plugins"
    write_plugin(folder, "share_of", OPTIONS)
    meter = {"key": name, "event_type": name, "aggregation": "share_of", "options": {"share": 2}}
    with Appliance(tmp_path / "with", settings={"plugins_dir": folder}) as running:
        assert running.client.post("/v1/meters", json=meter).status_code == 201
        running.terminate()
        (folder / "share_of.py").unlink()
        for each in folder.glob("*.dist-info/*"):
            each.unlink()
        client = running.start().client
        assert client.get(f"/v1/meters/{name}").json()["options"] == {"share": 2}
        assert [each["key"] for each in client.get("/v1/meters").json()["items"]] == [name]
        said = problem(client.get(f"/v1/meters/{name}/usage", params=RANGE), 424, "plugin_missing")
        assert "'share_of' belongs to a plugin that is not installed here" in said
        refused = client.post("/v1/meters", json=meter | {"key": "another"})
        assert "'share_of' is unknown" in problem(refused, 422, "invalid_definition")
        changed = client.patch(f"/v1/meters/{name}", json={"aggregation": "sum", "options": None})
        assert changed.status_code == 200, changed.text
        assert client.get(f"/v1/meters/{name}/usage", params=RANGE).json()["totals"] == []


def test_a_folder_of_plugins_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path, settings={"plugins_dir": tmp_path / "nowhere"})
    try:
        with pytest.raises(ApplianceFailed, match=r"plugins_dir is .*, which is no folder"):
            appliance.start()
    finally:
        appliance.close()
