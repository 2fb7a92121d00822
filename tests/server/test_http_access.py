"""Who may call what: every route of the document with every scope, and what wrong keys get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.appliance import Appliance

SCOPES = ("ingest", "read", "admin")


def requests_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:  # Any: JSON
    """Yield each operation with a request for it that changes nothing that matters."""
    for template, methods in document["paths"].items():
        for method, operation in methods.items():
            path = template
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    path = path.replace("{%s}" % parameter["name"], "1")  # noqa: UP031 - braces are the text here
            body: dict[str, Any] = {"json": {}} if "requestBody" in operation else {}
            yield method, path, operation, body


@pytest.fixture(scope="module")
def document(appliance: Appliance) -> dict[str, Any]:
    return appliance.client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def clients(appliance: Appliance) -> Iterator[dict[str, httpx.Client]]:
    opened = {scope: appliance.client_with(appliance.new_key(scope)) for scope in SCOPES}
    yield opened
    for client in opened.values():
        client.close()


def status_of(client: httpx.Client, method: str, path: str, body: dict[str, Any]) -> int:
    with client.stream(method, path, **body) as answer:  # streamed, because one of them never ends
        return answer.status_code


@pytest.mark.parametrize("scope", SCOPES)
def test_every_route_takes_the_scope_it_names_and_no_other(
    document: dict[str, Any], clients: dict[str, httpx.Client], scope: str
) -> None:
    for method, path, operation, body in requests_of(document):
        if not operation["security"]:
            continue
        status = status_of(clients[scope], method, path, body)
        if scope in {operation["x-scope"], "admin"}:
            assert status not in {401, 403}, f"{scope}: {method} {path}"
        else:
            assert status == 403, f"{scope}: {method} {path}"


def test_every_route_without_a_key_is_a_401_with_a_challenge(document: dict[str, Any], appliance: Appliance) -> None:
    with appliance.client_with(None) as nobody:
        for method, path, operation, body in requests_of(document):
            answer = nobody.request(method, path, **body)
            if not operation["security"]:
                assert answer.status_code in {200, 503}, path
                continue
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["type"] == "urn:tallystick:problem:no_key"


def test_without_a_key_what_exists_and_what_does_not_look_alike(appliance: Appliance) -> None:
    def shape(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
        return answer.status_code, {name: value for name, value in answer.json().items() if name != "request_id"}

    with appliance.client_with(None) as nobody:
        answers = [
            shape(nobody.get(path))
            for path in ("/v1/meters", "/v1/meters/nothing", "/v1/nowhere", "/v1", "/v1/log/blocks/1")
        ]
    assert all(answer == answers[0] for answer in answers)


def test_a_wrong_key_is_a_401_that_does_not_tell_why(appliance: Appliance) -> None:
    with appliance.client_with("wrong-key-wrong-key-wrong-key") as stranger:
        answer = stranger.get("/v1/meters")
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:tallystick:problem:wrong_key"


def test_a_key_may_come_in_either_header(appliance: Appliance) -> None:
    with appliance.client_with(None) as client:
        for headers in (
            {"x-api-key": appliance.admin_key},
            {"authorization": f"Bearer {appliance.admin_key}"},
            {"authorization": f"bearer {appliance.admin_key}"},
        ):
            assert client.get("/v1/meters", headers=headers).status_code == 200


def test_a_key_in_the_url_is_no_key(appliance: Appliance) -> None:
    with appliance.client_with(None) as client:
        for parameter in ("api_key", "key", "token", "access_token"):
            assert client.get("/v1/meters", params={parameter: appliance.admin_key}).status_code == 401


def test_a_revoked_key_stops_working_at_once(appliance: Appliance) -> None:
    created = appliance.client.post("/v1/api-keys", json={"name": "short-lived", "scopes": ["read"]}).json()
    with appliance.client_with(created["key"]) as holder:
        assert holder.get("/v1/meters").status_code == 200
        assert appliance.client.delete(f"/v1/api-keys/{created['id']}").status_code == 204
        assert holder.get("/v1/meters").status_code == 401


def test_a_secret_is_shown_once_and_then_nowhere(appliance: Appliance) -> None:
    created = appliance.client.post("/v1/api-keys", json={"name": "secret", "scopes": ["ingest"]}).json()
    listed = appliance.client.get("/v1/api-keys").text
    assert created["key"] not in listed
    assert created["id"] in listed
    assert created["key"] not in appliance.log
    assert appliance.admin_key not in appliance.log + appliance.output


def test_the_list_of_keys_tells_when_each_was_last_used(appliance: Appliance) -> None:
    made = appliance.client.post("/v1/api-keys", json={"name": "seldom used", "scopes": ["read"]}).json()

    def last_used_at() -> str | None:
        listed = appliance.client.get("/v1/api-keys").json()["items"]
        return next(key["last_used_at"] for key in listed if key["id"] == made["id"])

    assert last_used_at() is None
    with appliance.client_with(made["key"]) as reader:
        assert reader.get("/v1/meters").status_code == 200
    used = last_used_at()
    assert used is not None
    assert used >= made["created_at"]


def test_a_key_has_an_end_if_it_was_given_one(appliance: Appliance) -> None:
    past = appliance.client.post(
        "/v1/api-keys", json={"name": "past", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    )
    assert past.status_code == 400
    future = appliance.client.post(
        "/v1/api-keys", json={"name": "future", "scopes": ["read"], "expires_at": "2199-01-01T00:00:00Z"}
    )
    assert future.json()["expires_at"] == "2199-01-01T00:00:00Z"


def test_the_last_admin_key_cannot_be_revoked(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance()
    (first,) = appliance.client.get("/v1/api-keys").json()["items"]
    assert appliance.client.delete(f"/v1/api-keys/{first['id']}").status_code == 409
    appliance.new_key("admin")
    assert appliance.client.delete(f"/v1/api-keys/{first['id']}").status_code == 204
