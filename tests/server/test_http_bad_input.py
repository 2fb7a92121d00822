"""Bad input: a code or a problem for each, never a 500, never a neighbour lost."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
import zstandard

PLAIN = {"type": "bad-input", "customer": "acme"}


def post(client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    return client.post("/v1/events", content=body, headers={"content-type": "application/json"} | headers)


def member(name: str, text: str) -> bytes:
    return b'{"type":"bad-input","customer":"acme","%b":%b}' % (name.encode(), text.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"not json",
        b"{",
        b'{"type":',
        b"[[[",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[1",
        b"\x00",
    ],
    ids=[
        "empty",
        "space",
        "words",
        "open",
        "half",
        "open list",
        "null",
        "bytes",
        "deep list",
        "deep object",
        "cut",
        "nul",
    ],
)
def test_a_body_that_cannot_be_parsed_is_a_problem(client: httpx.Client, body: bytes) -> None:
    answer = post(client, body)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (member("value", "NaN"), "invalid_json"),
        (member("value", "Infinity"), "invalid_json"),
        (member("value", "1e400"), "value_out_of_range"),
        (member("value", "1e999999999"), "value_out_of_range"),
        (member("value", "123456789012345678901234567"), "value_out_of_range"),
        (member("value", '"1_000"'), "invalid_value"),
        (member("value", '"\u0661"'), "invalid_value"),
        (member("value", "true"), "invalid_value"),
        (member("time", '"1969-12-31T23:59:59Z"'), "invalid_time"),
        (member("time", '"2026-11-01T10:00:00"'), "invalid_time"),
        (member("time", '"2226-11-01T10:00:00Z"'), "time_in_future"),
        (member("time", "-1"), "invalid_time"),
        (member("id", '""'), "invalid_id"),
        (member("id", json.dumps("x" * 257)), "invalid_id"),
        (member("id", '"\\ud800"'), "invalid_encoding"),
        (member("properties", '{"a":{"b":1}}'), "nested_property"),
        (member("properties", json.dumps({f"p{n}": n for n in range(129)})), "too_many_properties"),
        (member("properties", '{"a":1,"a":2}'), "duplicate_key"),
        (member("properties", "[]"), "invalid_properties"),
        (member("surprise", "1"), "unknown_field"),
        (b'{"type":"","customer":"acme"}', "invalid_type"),
        (b'{"type":"bad-input","customer":""}', "invalid_customer"),
        (json.dumps({"type": "bad-input", "customer": "x" * 257}).encode(), "invalid_customer"),
        (json.dumps({"type": "x" * 129, "customer": "acme"}).encode(), "invalid_type"),
        (b'{"type":"bad-input","type":"b","customer":"acme"}', "duplicate_key"),
        (b'{"type":"bad-\xff","customer":"acme"}', "invalid_encoding"),
    ],
)
def test_a_bad_event_has_a_code_and_its_neighbour_is_counted(
    client: httpx.Client, body: bytes, code: str, name: str
) -> None:
    neighbour = json.dumps(PLAIN | {"id": name}).encode()
    answer = post(client, b"[" + body + b"," + neighbour + b"]")
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 1
    assert [entry["code"] for entry in answer.json()["rejected"]] == [code]
    assert answer.json()["rejected"][0]["detail"]


def test_float_noise_is_rounded_at_the_door(client: httpx.Client, name: str) -> None:
    post(client, json.dumps(PLAIN | {"id": name, "value": 0.30000000000000004}).encode())
    text = client.get("/v1/events/by-id", params={"id": name}).text
    assert json.loads(text, parse_float=Decimal)["value"] == Decimal("0.3")


def test_ten_thousand_and_one_events_are_a_413(client: httpx.Client) -> None:
    answer = post(client, json.dumps([PLAIN] * 10_001).encode())
    assert answer.status_code == 413
    assert "10,000" in answer.json()["detail"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_decompression_bomb_is_a_413(client: httpx.Client, pack: Any) -> None:  # Any: either compressor
    bomb = pack(b"[" + b" " * (200 * 1024 * 1024) + b"]")
    answer = post(client, bomb, **{"content-encoding": "zstd" if pack is zstandard.compress else "gzip"})
    assert answer.status_code == 413, answer.text


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_damaged_compression_is_a_400(client: httpx.Client, encoding: str) -> None:
    whole = gzip.compress(b"[]" * 1_000) if encoding == "gzip" else zstandard.compress(b"[]" * 1_000)
    for body in (whole[:-5], b"nothing of the kind", b""):
        answer = post(client, body, **{"content-encoding": encoding})
        assert answer.status_code == 400, (body[:10], answer.text)


def test_unknown_types_and_encodings_are_a_415(client: httpx.Client) -> None:
    assert post(client, b"{}", **{"content-type": "text/html"}).status_code == 415
    assert post(client, b"{}", **{"content-encoding": "br"}).status_code == 415
    assert (
        client.post(
            "/v1/meters", content=b"key=x", headers={"content-type": "application/x-www-form-urlencoded"}
        ).status_code
        == 415
    )


def test_a_body_over_the_limit_is_a_413_whether_it_is_announced_or_not(client: httpx.Client) -> None:
    piece = b" " * 1_048_576
    assert post(client, piece * 17).status_code == 413
    chunked = client.post(
        "/v1/events", content=(piece for _ in range(17)), headers={"content-type": "application/json"}
    )
    assert chunked.status_code == 413


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "yesterday"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"cursor": "zzz"},
        {"from": "99999999999999999999"},
        {"customer": ""},
        {"surprise": "1"},
        {"to": "2026-13-01T00:00:00Z"},
    ],
    ids=str,
)
def test_bad_parameters_are_a_400_that_names_them(client: httpx.Client, parameters: dict[str, str]) -> None:
    answer = client.get("/v1/events", params=parameters)
    assert answer.status_code == 400, answer.text
    assert next(iter(parameters)) in answer.json()["detail"]


def test_a_parameter_given_twice_is_a_400(client: httpx.Client) -> None:
    assert client.get("/v1/events?customer=a&customer=b").status_code == 400


@pytest.mark.parametrize(
    "body", [b"[" * 50_000, b'{"key":' * 50_000, b"\xff", b"{", b"", b'{"key": "a", "surprise": 1}', b"[]", b"1"]
)
def test_a_bad_definition_is_a_400(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/meters", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].startswith("urn:tallystick:problem:")


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"event_type": "call", "aggregation": "count"}, "key", "is required"),
        ({"key": 5, "event_type": "call", "aggregation": "count"}, "key", "must be a text, not a whole number"),
        ({"key": "k", "event_type": "", "aggregation": "count"}, "event_type", "must not be empty"),
        ({"key": "k", "event_type": "call", "aggregation": "count", "timeout": 0}, "timeout", "must be at least 1"),
    ],
)
def test_what_a_field_should_have_been_is_said_in_words(
    client: httpx.Client, body: dict[str, object], pointer: str, words: str
) -> None:
    answer = client.post("/v1/meters", json=body)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["errors"] == [{"detail": words, "pointer": pointer}]


@pytest.mark.parametrize("path", ["meters", "signals", "channels"])
def test_what_a_key_may_have_is_said_in_words_rather_than_as_a_pattern(client: httpx.Client, path: str) -> None:
    answer = client.post(f"/v1/{path}", json={"key": "a key!"})
    assert answer.status_code in {400, 422}, answer.text
    (fault,) = [error for error in answer.json()["errors"] if error["pointer"] == "key"]
    assert fault["detail"].startswith("may have letters, digits")
