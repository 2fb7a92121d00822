"""Events as they land, over server-sent events."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.appliance import Appliance


@contextmanager
def listening(client: httpx.Client, **parameters: Any) -> Generator[Iterator[dict[str, str]]]:  # Any: query values
    """Yield an iterator over the events of a stream that is open when this returns."""
    headers = parameters.pop("headers", {})
    with client.stream("GET", "/v1/events/stream", params=parameters, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        messages = _messages(answer.iter_lines())
        assert "retry" in next(messages)  # the first bytes: from here on, nothing is missed
        yield messages


def _messages(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    message: dict[str, str] = {}
    for line in lines:
        if line:
            field, _, value = line.partition(": ")
            message[field] = value
        elif message:
            yield message
            message = {}


def take(messages: Iterator[dict[str, str]], count: int) -> list[dict[str, Any]]:
    return [json.loads(next(messages)["data"]) for _ in range(count)]


def send(client: httpx.Client, name: str, *numbers: int, customer: str = "acme") -> None:
    client.post(
        "/v1/events", json=[{"id": f"{name}-{n}", "type": name, "customer": customer, "value": n} for n in numbers]
    )


def test_accepted_events_arrive_as_they_land_and_duplicates_do_not(appliance: Appliance, name: str) -> None:
    with appliance.client_with(appliance.admin_key) as watcher, listening(watcher, type=name) as messages:
        send(appliance.client, name, 1, 2)
        send(appliance.client, name, 2, 3)
        assert [event["value"] for event in take(messages, 3)] == [1, 2, 3]


def test_a_stream_shows_what_its_filters_name(appliance: Appliance, name: str) -> None:
    with appliance.client_with(appliance.admin_key) as watcher, listening(watcher, customer=name) as messages:
        send(appliance.client, name, 1)
        send(appliance.client, name, 2, customer=name)
        assert take(messages, 1)[0]["value"] == 2


def test_a_reader_that_comes_back_gets_what_it_missed_in_order(appliance: Appliance, name: str) -> None:
    with appliance.client_with(appliance.admin_key) as watcher, listening(watcher, type=name) as messages:
        send(appliance.client, name, 1)
        last = next(messages)["id"]
    send(appliance.client, name, *range(2, 1_500))
    headers = {"last-event-id": last}
    with (
        appliance.client_with(appliance.admin_key) as watcher,
        listening(watcher, type=name, headers=headers) as messages,
    ):
        assert [event["value"] for event in take(messages, 1_498)] == list(range(2, 1_500))
        send(appliance.client, name, 5_000)
        assert take(messages, 1)[0]["value"] == 5_000


def test_a_place_that_is_none_is_a_400(appliance: Appliance) -> None:
    client = appliance.client
    assert client.get("/v1/events/stream", headers={"last-event-id": "yesterday"}).status_code == 400
    assert client.get("/v1/events/stream", params={"after": "-1"}).status_code == 400


def test_one_stream_more_than_there_are_places_is_refused(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance(streams_max=1)
    with appliance.client_with(appliance.admin_key) as watcher, listening(watcher):
        refused = appliance.client.get("/v1/events/stream")
        assert refused.status_code == 503
        assert refused.headers["retry-after"]


def test_a_stream_ends_when_the_appliance_does(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance()
    with appliance.client_with(appliance.admin_key) as watcher, listening(watcher) as messages:
        assert appliance.terminate(timeout_s=10) == 0
        assert list(messages) == []


def test_a_sample_of_a_flood_is_few_events_and_the_count_of_the_others(appliance: Appliance, name: str) -> None:
    with appliance.client_with(appliance.admin_key) as watcher, listening(watcher, type=name, sample=4) as messages:
        send(appliance.client, name, *range(5_000))
        shown, missed = 0, 0
        while shown + missed < 5_000:
            message = next(messages)
            if message["event"] == "missed":
                missed += json.loads(message["data"])["missed"]
            else:
                shown += 1
        assert 1 <= shown <= 4
        send(appliance.client, name, 9_999)
        assert json.loads(next(messages)["data"])["value"] == 9_999


def test_a_sample_is_of_at_least_one_event_a_second(appliance: Appliance) -> None:
    answer = appliance.client.get("/v1/events/stream", params={"sample": 0})
    assert answer.status_code == 400
