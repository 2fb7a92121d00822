"""Overload, slow senders, idle connections and the end of the process: bounded, answered, in order."""

from __future__ import annotations

import json
import selectors
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.appliance import Appliance, ApplianceFailed

Start = Callable[..., Appliance]


def connected(appliance: Appliance, stack: ExitStack) -> socket.socket:
    address = urlsplit(appliance.url)
    return stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=20))


def head_of_a_post(appliance: Appliance, length: int) -> bytes:
    return (
        f"POST /v1/events HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {appliance.admin_key}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def everything_from(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def test_a_body_that_does_not_come_is_a_408_and_the_connection_ends(start_appliance: Start) -> None:
    appliance = start_appliance(body_timeout_s=1)
    with ExitStack() as stack:
        connection = connected(appliance, stack)
        connection.sendall(head_of_a_post(appliance, 1_000) + b"[")
        answer = everything_from(connection)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"body_too_slow" in answer


def test_a_head_that_does_not_come_ends_the_connection(start_appliance: Start) -> None:
    appliance = start_appliance(head_timeout_s=1)
    with ExitStack() as stack:
        silent, half = connected(appliance, stack), connected(appliance, stack)
        half.sendall(b"POST /v1/events HTTP/1.1\r\nhost: ")
        assert everything_from(silent) == everything_from(half) == b""


def test_a_head_without_end_is_cut_off(appliance: Appliance) -> None:
    with ExitStack() as stack:
        first, later = connected(appliance, stack), connected(appliance, stack)
        later.sendall(b"GET /health/live HTTP/1.1\r\nhost: t\r\n\r\n")
        assert later.recv(65_536).startswith(b"HTTP/1.1 200")
        for connection in (first, later):
            try:
                connection.sendall(b"GET /health/live HTTP/1.1\r\n" + b"x: " + b"y" * 2_000_000)
                answer = everything_from(connection)
            except ConnectionError:
                answer = b"HTTP/1.1 400"  # cut off before it had read the answer
            assert answer.startswith(b"HTTP/1.1 400")


def test_a_gigabyte_that_is_announced_is_refused_before_it_is_read(appliance: Appliance) -> None:
    with ExitStack() as stack:
        connection = connected(appliance, stack)
        connection.sendall(head_of_a_post(appliance, 1 << 30))
        assert everything_from(connection).startswith(b"HTTP/1.1 413")


def test_two_thousand_idle_connections_leave_room_for_others(start_appliance: Start) -> None:
    appliance = start_appliance(connections_max=2_500, head_timeout_s=60)
    with ExitStack() as stack:
        for _ in range(2_000):
            connected(appliance, stack)
        assert appliance.client.post("/v1/events", json={"type": "t", "customer": "c"}).json()["accepted"] == 1
        assert "tallystick_http_connections 2001.0" in appliance.client.get("/metrics").text


def test_one_connection_more_than_there_may_be_is_told_so(start_appliance: Start) -> None:
    appliance = start_appliance(connections_max=20)
    with ExitStack() as stack:
        connections = [connected(appliance, stack) for _ in range(25)]
        selector = stack.enter_context(selectors.DefaultSelector())
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        told: dict[socket.socket, bytes] = {}
        while len(told) < 5:
            for key, _ in selector.select(20):
                connection = connections[connections.index(key.fileobj)]  # type: ignore[arg-type]
                told[connection] = everything_from(connection)
                selector.unregister(connection)
        for answer in told.values():
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after:" in answer
            body = answer.partition(b"\r\n\r\n")[2]
            assert json.loads(body)["type"] == "urn:tallystick:problem:too_many_connections"


def test_bodies_past_the_budget_are_refused_with_retry_after(start_appliance: Start) -> None:
    appliance = start_appliance(body_bytes_max=1_000_000, bodies_in_flight_bytes_max=2_000_000)
    with ExitStack() as stack:
        for _ in range(4):
            connected(appliance, stack).sendall(head_of_a_post(appliance, 900_000) + b" " * 490_000)
        client = appliance.client
        # Until all of what was sent has been read, and none of it beside a request of ours, for which there would be no room then.
        assert any("http_body_bytes_in_flight 1.96e+06" in client.get("/metrics").text for _ in range(2_000))
        answer = client.post("/v1/events", content=b"[" + b" " * 200_000 + b'{"type":"t","customer":"c"}]')
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json()["type"] == "urn:tallystick:problem:overloaded"


def test_more_than_the_queue_takes_is_refused_and_what_was_accepted_is_there(start_appliance: Start) -> None:
    appliance = start_appliance(**{"engine.queue_events_max": 1_000})
    batches = [[{"id": f"{batch}-{n}", "type": "t", "customer": "c"} for n in range(900)] for batch in range(40)]

    def send(batch: list[dict[str, str]]) -> httpx.Response:
        return httpx.post(
            f"{appliance.url}/v1/events", json=batch, headers={"x-api-key": appliance.admin_key}, timeout=60
        )

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, batches))
    assert {answer.status_code for answer in answers} <= {200, 429, 503}
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code != 200)
    accepted = sum(answer.json()["accepted"] for answer in answers if answer.status_code == 200)
    figures = appliance.client.get("/metrics").text
    assert f"tallystick_events {float(accepted)}" in figures


def test_sigterm_under_load_answers_what_was_taken_and_ends_with_0(start_appliance: Start) -> None:
    appliance = start_appliance()
    accepted: list[str] = []
    lost_midway: list[str] = []
    begun = threading.Barrier(5)

    def load(worker: int) -> None:
        with httpx.Client(base_url=appliance.url, headers={"x-api-key": appliance.admin_key}, timeout=20) as client:
            for n in range(100_000):
                if n == 20:
                    begun.wait()
                event_id = f"{worker}-{n}"
                try:
                    answer = client.post("/v1/events", json={"id": event_id, "type": "t", "customer": "c"})
                except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
                    return
                if answer.status_code == 200:
                    accepted.append(event_id)
                else:
                    lost_midway.append(event_id)

    workers = [threading.Thread(target=load, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    begun.wait()
    assert appliance.terminate(timeout_s=20) == 0
    for worker in workers:
        worker.join(20)
    appliance.start()
    figures = appliance.client.get("/metrics").text
    count = float(next(line for line in figures.splitlines() if line.startswith("tallystick_events ")).split()[1])
    assert len(accepted) <= count <= len(accepted) + len(workers)
    for event_id in accepted[-20:]:
        assert appliance.client.get("/v1/events/by-id", params={"id": event_id}).status_code == 200


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(appliance: Appliance) -> None:

    def wrong(number: int) -> int:
        return httpx.get(f"{appliance.url}/v1/meters", headers={"x-api-key": f"wrong-{number}"}, timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        guesses = [pool.submit(wrong, number) for number in range(16)]
        for _ in range(50):
            answer = appliance.client.get("/v1/meters")
            assert answer.status_code == 200
            assert answer.elapsed.total_seconds() < 2
        assert {guess.result() for guess in guesses} == {401}


def test_a_second_process_on_the_same_directory_is_refused_with_one_line(appliance: Appliance) -> None:
    first = appliance
    second = Appliance(first.directory, settings={})
    with pytest.raises(ApplianceFailed, match="ended with 1"):
        second.start()
    second.close()
    assert "is in use by another process" in first.log
    assert first.client.get("/health/ready").status_code == 200


def test_a_port_that_is_taken_is_refused_with_one_line(appliance: Appliance, tmp_path: Path) -> None:
    first = appliance
    port = urlsplit(first.url).port
    second = Appliance(tmp_path, environment={"TALLYSTICK_PORT": str(port)})
    with pytest.raises(ApplianceFailed, match="ended with 1"):
        second.start()
    assert f"cannot listen on 127.0.0.1:{port}" in second.log
    second.close()


def test_the_first_admin_key_is_printed_once_if_none_was_chosen(tmp_path: Path) -> None:
    with Appliance(tmp_path, admin_key=None) as own:
        line = next(line for line in own.output.splitlines() if line.startswith("first admin key"))
        secret = line.rpartition(" ")[2]
        with own.client_with(secret) as client:
            assert client.get("/v1/api-keys").status_code == 200
        own.restart()
        assert "first admin key" not in own.output
        assert secret not in own.log
