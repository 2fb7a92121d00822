"""Customers and keys: described or only seen, and who may do what."""

from __future__ import annotations

import httpx
import pytest

from tests.appliance import Appliance
from tests.contract.asked import exact, send


def test_events_of_unknown_customers_count_and_are_listed_until_somebody_describes_them(
    client: httpx.Client, unique: str
) -> None:
    send(client, {"id": unique, "type": unique, "customer": unique})
    listed = exact(client.get("/v1/customers", params={"known": "false", "limit": 1_000}))["items"]
    assert unique in [each["key"] for each in listed]
    described = {
        "key": unique,
        "name": "Acme",
        "email": "ops@example.com",
        "metadata": {"tier": "gold"},
        "time_zone": "Europe/Berlin",
    }
    assert client.post("/v1/customers", json=described).status_code == 201
    assert {name: exact(client.get(f"/v1/customers/{unique}"))[name] for name in described} == described
    listed = exact(client.get("/v1/customers", params={"known": "false", "limit": 1_000}))["items"]
    assert unique not in [each["key"] for each in listed]
    assert client.delete(f"/v1/customers/{unique}").status_code in {200, 204}
    assert client.get(f"/v1/customers/{unique}").status_code == 404


def test_a_key_is_shown_once_and_ends_when_it_is_deleted(
    client: httpx.Client, appliance: Appliance, unique: str
) -> None:
    made = exact(client.post("/v1/api-keys", json={"name": unique, "scopes": ["ingest"]}))
    assert made["key"] not in client.get("/v1/api-keys").text
    with appliance.client_with(made["key"]) as sender:
        assert send(sender, {"id": unique, "type": unique, "customer": "a"})["accepted"] == 1
        assert client.delete(f"/v1/api-keys/{made['id']}").status_code in {200, 204}
        assert sender.post("/v1/events", json={"type": unique, "customer": "a"}).status_code == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("ingest", "GET", "/v1/events", 403),
        ("ingest", "GET", "/v1/meters", 403),
        ("read", "POST", "/v1/events", 403),
        ("read", "POST", "/v1/meters", 403),
        ("read", "GET", "/v1/api-keys", 403),
        ("read", "GET", "/v1/events", 200),
        ("admin", "GET", "/v1/events", 200),
    ],
)
def test_a_scope_opens_what_it_says_and_nothing_else(
    scope: str, method: str, path: str, status: int, appliance: Appliance
) -> None:
    with appliance.client_with(appliance.new_key(scope)) as holder:
        assert holder.request(method, path, json={} if method == "POST" else None).status_code == status


@pytest.mark.parametrize("path", ["/v1/events", "/v1/meters", "/v1/customers/nobody", "/v1/api-keys"])
def test_without_a_key_everything_is_the_same_401(path: str, appliance: Appliance) -> None:
    with appliance.client_with(None) as nobody:
        answer = nobody.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_health_is_open_and_says_ready(appliance: Appliance) -> None:
    with appliance.client_with(None) as nobody:
        assert nobody.get("/health/live").status_code == 200
        assert nobody.get("/health/ready").status_code == 200
