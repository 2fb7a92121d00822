"""The OpenAPI document: complete, and true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.appliance import Appliance

ROOT = Path(__file__).resolve().parents[2]
# What an example's question is put with, where the route asks for parameters.
PARAMETERS = {"customer": "acme", "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}


@pytest.fixture(scope="session")
def document(appliance: Appliance) -> dict[str, Any]:  # Any: JSON
    return appliance.client.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_openapi_3_1_and_names_everything(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert operation["tags"], where
        assert {tag["name"] for tag in document["tags"]} >= set(operation["tags"]), where
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], where


def test_every_operation_with_a_key_says_what_is_answered_without_one(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if operation["security"]:
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), f"{method} {path}"
            assert operation["x-scope"] in {"ingest", "read", "admin"}


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], f"{method} {path} {status}"


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any], client: httpx.Client) -> None:
    text = client.get("/openapi.json").text
    names = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text))
    assert names <= set(document["components"]["schemas"])


def test_every_number_of_an_answer_is_documented_as_a_number(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["EventOut"]["properties"]["value"]["type"] == "number"
    assert schemas["UsageRowOut"]["properties"]["value"]["type"] == ["number", "null"]
    value, _null = schemas["ConditionIn"]["properties"]["value"]["anyOf"]
    assert value["type"] == ["number", "string"]


def test_every_json_example_is_accepted(document: dict[str, Any], client: httpx.Client) -> None:
    for method, path, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if "example" not in content or "{" in path:
                continue
            example = content["example"]
            body: dict[str, Any] = {"content": example} if isinstance(example, str) else {"json": example}
            needed = [each["name"] for each in operation.get("parameters", []) if each["required"]]
            answer = client.request(
                method,
                path,
                params={name: PARAMETERS[name] for name in needed},
                headers={"content-type": media_type},
                **body,
            )
            assert answer.status_code in {200, 201, 409}, f"{method} {path} {media_type}: {answer.text}"


def test_every_route_is_in_the_prose(document: dict[str, Any]) -> None:
    prose = (ROOT / "docs" / "http.md").read_text()
    missing = [
        f"{method.upper()} {path}"
        for method, path, _ in operations(document)
        if f"{method.upper()} {path}" not in prose
    ]
    assert missing == []


def test_every_problem_code_is_in_the_prose() -> None:
    prose = (ROOT / "docs" / "http.md").read_text()
    sources = [
        path.read_text() for path in (ROOT / "server" / "tallystick_server").rglob("*.py") if "cli" not in path.parts
    ]
    codes = {code for source in sources for code in re.findall(r'Refusal\(\s*\d{3},\s*"([a-z_]+)"', source)}
    codes |= {code for source in sources for code in re.findall(r'code="([a-z_]+)"', source)}
    assert {code for code in codes if f"`{code}`" not in prose} == set()


def test_the_page_for_people_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    answer = client.get("/docs")
    assert answer.status_code == 200
    assert "src=" not in answer.text
    # An address in an example's text is not one that the page asks for.
    assert re.findall(r"""(?:src|href|srcset|action|url|@import)\s*[=(]?\s*["']?https?://""", answer.text) == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_for_people_shows_every_operation(client: httpx.Client, document: dict[str, Any]) -> None:
    page = client.get("/docs").text
    for _, _, operation in operations(document):
        assert f'<details id="{operation["operationId"]}">' in page
