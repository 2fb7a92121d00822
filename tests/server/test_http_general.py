"""What holds for every answer."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.appliance import Appliance


def test_every_answer_has_a_request_id_and_forbids_browsers_everything(client: httpx.Client, name: str) -> None:
    answers = [
        client.get("/v1/meters"),
        client.get("/v1/nothing"),
        client.get("/health/live"),
        client.post("/v1/events", json={"id": name, "type": name, "customer": "a"}),
        client.post("/v1/events", content=b"{"),
        client.get("/openapi.json"),
    ]
    for answer in answers:
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_a_senders_request_id_is_taken_if_it_is_plain(client: httpx.Client) -> None:
    assert client.get("/v1/meters", headers={"x-request-id": "abc-1.2"}).headers["x-request-id"] == "abc-1.2"
    assert client.post("/v1/events", content=b"{", headers={"x-request-id": "abc"}).json()["request_id"] == "abc"
    for bad in ("x" * 200, 'a"b', "a b"):
        assert client.get("/v1/meters", headers={"x-request-id": bad}).headers["x-request-id"] != bad


def test_a_path_that_is_nowhere_and_a_method_that_is_not_taken_are_problems(client: httpx.Client) -> None:
    nowhere, method = client.get("/v1/nowhere"), client.put("/v1/meters")
    assert (nowhere.status_code, method.status_code) == (404, 405)
    assert nowhere.headers["content-type"] == method.headers["content-type"] == "application/problem+json"
    assert "GET" in method.headers["allow"]
    assert "GET" in client.options("/v1/meters").headers["allow"]


def test_the_log_has_a_line_for_a_request_without_its_query_and_nothing_can_forge_one(appliance: Appliance) -> None:
    appliance.client.get("/v1/events", params={"customer": "secret-customer"})
    appliance.client.get("/v1/customers/%0a%7b%22forged%22:1%7d%1b%5b31m")
    log = appliance.log
    assert '"path":"/v1/events"' in log
    assert "secret-customer" not in log
    assert "\x1b" not in log
    assert not any(line.startswith('{"forged"') for line in log.splitlines())


def test_live_and_ready_are_open_and_metrics_are_not(appliance: Appliance) -> None:
    with appliance.client_with(None) as nobody:
        assert nobody.get("/health/live").json() == {"status": "live"}
        assert nobody.get("/health/ready").json()["status"] == "ready"
        assert nobody.get("/metrics").status_code == 401


def test_metrics_count_what_happens(client: httpx.Client, name: str) -> None:
    def value(line_start: str) -> float:
        lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(line_start)]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0

    requests = 'tallystick_http_requests_total{method="POST",route="/v1/events",status="200"}'
    before, events = value(requests), value("tallystick_events ")
    client.post("/v1/events", json={"id": name, "type": name, "customer": "a"})
    assert value(requests) == before + 1
    assert value("tallystick_events ") == events + 1
    assert value("tallystick_ready ") == 1
    assert value("tallystick_disk_free_bytes ") > 0
    assert name not in client.get("/metrics").text


def test_other_origins_may_ask_only_if_they_are_named(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance(cors_origins="https://app.example", metrics_open=True)
    good, bad = {"origin": "https://app.example"}, {"origin": "https://evil.example"}
    asked = {"access-control-request-method": "POST"}
    with appliance.client_with(None) as browser:
        assert (
            browser.options("/v1/events", headers=good | asked).headers["access-control-allow-origin"]
            == "https://app.example"
        )
        assert "access-control-allow-origin" not in browser.options("/v1/events", headers=bad | asked).headers
        assert browser.get("/metrics").status_code == 200
    answer = appliance.client.post("/v1/events", json={"type": "t", "customer": "c"}, headers=good)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in appliance.client.get("/v1/meters", headers=bad).headers


def test_the_chain_can_be_followed_and_verified(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name, "type": name, "customer": "a"})
    head = client.get("/v1/log/head").json()
    block = client.get(f"/v1/log/blocks/{head['block']}").json()
    assert block["hash"] == head["hash"]
    assert client.get(f"/v1/log/blocks/{head['block'] - 1}").json()["hash"] == block["previous_hash"]
    assert client.get(f"/v1/log/blocks/{head['block'] + 1000}").status_code == 404
    report = client.post("/v1/log/verify").json()
    assert report["ok"] is True
    assert report["problems"] == []
