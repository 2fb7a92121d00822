"""Customers and quarantine over HTTP."""

from __future__ import annotations

import httpx
import msgspec
import pytest


def test_events_of_unknown_customers_count_at_once_and_are_listed(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name, "type": name, "customer": name})

    def unknown() -> list[str]:
        return [
            customer["key"]
            for customer in client.get("/v1/customers", params={"known": "false", "limit": 1000}).json()["items"]
        ]

    assert name in unknown()
    client.post("/v1/customers", json={"key": name})
    assert name not in unknown()


def test_a_customer_is_described_changed_and_forgotten(client: httpx.Client, name: str) -> None:
    created = client.post(
        "/v1/customers",
        json={
            "key": name,
            "name": "Acme",
            "email": "a@b.c",
            "metadata": {"a": "1", "b": "2"},
            "time_zone": "Europe/Berlin",
        },
    )
    assert created.status_code == 201
    changed = client.patch(f"/v1/customers/{name}", json={"metadata": {"a": None, "c": "3"}, "email": None})
    assert changed.json()["metadata"] == {"b": "2", "c": "3"}
    assert changed.json()["email"] is None
    assert changed.json()["name"] == "Acme"
    assert client.get(f"/v1/customers/{name}").json() == changed.json()
    assert client.delete(f"/v1/customers/{name}").status_code == 204
    assert client.get(f"/v1/customers/{name}").status_code == 404
    assert client.delete(f"/v1/customers/{name}").status_code == 404


@pytest.mark.parametrize("key", ["acme/eu", "a b", "späti", "a%2Fb", "..", "?x", "#", "a+b", "<script>"])
def test_any_key_that_events_take_can_be_described(client: httpx.Client, name: str, key: str) -> None:
    key = f"{name}{key}"
    assert client.post("/v1/customers", json={"key": key}).status_code == 201
    path = "".join(f"%{byte:02x}" for byte in key.encode())
    assert client.get(f"/v1/customers/{path}").json()["key"] == key


def test_a_customer_is_not_described_twice_nor_in_a_zone_that_is_none(client: httpx.Client, name: str) -> None:
    client.post("/v1/customers", json={"key": name})
    assert client.post("/v1/customers", json={"key": name}).status_code == 409
    assert client.post("/v1/customers", json={"key": f"{name}-2", "time_zone": "Mars/Base"}).status_code == 422


def test_customers_are_paged_by_key(client: httpx.Client, name: str) -> None:
    for number in range(5):
        client.post("/v1/customers", json={"key": f"{name}-{number}"})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get("/v1/customers", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [customer["key"] for customer in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen))
    assert {f"{name}-{number}" for number in range(5)} <= set(seen)


def test_customers_are_found_by_a_part_of_key_name_or_address_in_any_case(client: httpx.Client, name: str) -> None:
    client.post("/v1/customers", json={"key": f"{name}-a", "name": f"Straße {name}"})
    client.post("/v1/customers", json={"key": f"{name}-b", "email": f"ops@{name}.example"})
    client.post("/v1/customers", json={"key": f"{name}-c"})
    client.post(
        "/v1/events", json=[{"id": f"{name}-{key}", "type": name, "customer": f"{name}-{key}"} for key in "cxy"]
    )

    def found(search: str, **more: str | int) -> list[str]:
        keys: list[str] = []
        params: dict[str, str | int] = {"search": search, "limit": 2} | more
        while True:
            page = client.get("/v1/customers", params=params).json()
            keys += [customer["key"] for customer in page["items"]]
            if page["next_cursor"] is None:
                return keys
            params["cursor"] = page["next_cursor"]

    assert found(f"STRASSE {name.upper()}") == [f"{name}-a"]
    assert found(f"@{name}") == [f"{name}-b"]
    assert found(f"{name}-") == [f"{name}-a", f"{name}-b", f"{name}-c"]
    assert found(f"{name}-", known="false") == [f"{name}-x", f"{name}-y"]
    assert found(f"{name}-X", known="false") == [f"{name}-x"]
    assert found(f"{name}-no") == []
    assert client.get("/v1/customers", params={"search": ""}).status_code == 400


def quarantined(client: httpx.Client, marker: str) -> dict[str, str]:
    entries = client.get("/v1/quarantine", params={"limit": 1000}).json()["items"]
    return next(entry for entry in entries if marker in (entry["raw"] or ""))


def test_a_refused_event_is_kept_as_it_was_sent_and_counted_once_corrected(client: httpx.Client, name: str) -> None:
    client.post(
        "/v1/events", content=f'[{{"id":"{name}","type":"{name}"}}]', headers={"content-type": "application/json"}
    )
    entry = quarantined(client, name)
    assert entry["code"] == "missing_customer"
    assert client.get(f"/v1/quarantine/{entry['id']}").json() == entry
    again = client.post(f"/v1/quarantine/{entry['id']}/resubmit")
    assert again.status_code == 422
    assert again.json()["rejected"][0]["code"] == "missing_customer"
    assert client.get(f"/v1/quarantine/{entry['id']}").status_code == 200
    corrected = client.post(f"/v1/quarantine/{entry['id']}/resubmit", json={"id": name, "type": name, "customer": name})
    assert corrected.json() == {"accepted": 1, "duplicates": 0, "conflicts": 0, "rejected": []}
    assert client.get(f"/v1/quarantine/{entry['id']}").status_code == 404
    assert client.get("/v1/events", params={"customer": name}).json()["items"][0]["id"] == name


def test_a_correction_is_one_event(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name})
    entry = quarantined(client, name)
    two = [{"id": f"{name}-{n}", "type": name, "customer": name} for n in range(2)]
    assert client.post(f"/v1/quarantine/{entry['id']}/resubmit", json=two).status_code == 400


def test_a_refused_event_can_be_given_up(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name})
    entry = quarantined(client, name)
    assert client.delete(f"/v1/quarantine/{entry['id']}").status_code == 204
    assert client.delete(f"/v1/quarantine/{entry['id']}").status_code == 404


def test_refused_events_are_counted_by_reason(client: httpx.Client, name: str) -> None:
    def counts() -> dict[str, tuple[int, int]]:
        answer = client.get("/v1/quarantine/reasons").json()
        assert answer["entries"] == answer["counted"] == sum(each["entries"] for each in answer["items"])
        return {each["code"]: (each["entries"], each["times_seen"]) for each in answer["items"]}

    before = counts().get("missing_customer", (0, 0))
    for _ in range(2):
        client.post("/v1/events", json=[{"id": f"{name}-{number}", "type": name} for number in range(3)])
    after = counts()
    assert after["missing_customer"] == (before[0] + 3, before[1] + 6)
    assert list(after) == sorted(after, key=lambda code: (-after[code][0], code))
    (reason,) = [
        each for each in client.get("/v1/quarantine/reasons").json()["items"] if each["code"] == "missing_customer"
    ]
    assert reason["oldest_at"] <= reason["newest_at"]


def test_a_refused_event_that_is_no_text_is_shown_in_base64(client: httpx.Client) -> None:
    body = msgspec.msgpack.encode([{"type": "x", "customer": "y", "id": 7, "source": "\u00e9"}])
    client.post("/v1/events", content=body, headers={"content-type": "application/msgpack"})
    entries = client.get("/v1/quarantine", params={"code": "invalid_id"}).json()["items"]
    assert any(entry["raw_base64"] for entry in entries if entry["content_type"] == "application/msgpack")
