"""A batch is sent until it is answered; what the network does in between changes no figure."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tallystick_server.cli.client import ApplianceClient
from tallystick_server.cli.failure import Failure
from tallystick_server.cli.intake.batch import Batch
from tallystick_server.cli.intake.delivery import Delivery
from tallystick_server.cli.intake.record import Record
from tallystick_server.cli.patience import CalledOff

Answer = httpx.Response | Exception


class CountedPauses:
    """Time that passes only when somebody pauses."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def elapsed_s(self) -> float:
        return sum(self.pauses)

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return True


class Network:
    """Answers from a script; remembers how many events each request had."""

    def __init__(self, answer: Callable[[int, int], Answer]) -> None:
        self._answer = answer
        self.sizes: list[int] = []
        self.patience: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        size = request.content.count(b"\n") + 1
        answer = self._answer(len(self.sizes), size)
        self.sizes.append(size)
        self.patience.append(max(request.extensions["timeout"].values()))
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(size: int) -> httpx.Response:
    return httpx.Response(200, json={"accepted": size, "duplicates": 0, "conflicts": 0, "rejected": []})


def delivery(network: Network, pauses: CountedPauses, give_up_after_s: float = 60.0) -> Delivery:
    client = ApplianceClient("http://appliance", None, transport=httpx.MockTransport(network))
    return Delivery(client, pauses, give_up_after_s=give_up_after_s, on_wait=lambda _reason: None)


BATCH = Batch([Record(f"line {number}", b"{}") for number in range(8)], 0)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.ReadTimeout("slow"),
        httpx.Response(429),
        httpx.Response(503),
        httpx.Response(502, text="<html>"),
    ],
    ids=repr,
)
def test_trouble_that_passes_is_waited_for_with_growing_pauses(trouble: Answer) -> None:
    network = Network(lambda number, size: trouble if number < 4 else ok(size))
    pauses = CountedPauses()
    assert delivery(network, pauses).deliver(BATCH).accepted == 8
    assert pauses.pauses == [0.25, 0.5, 1.0, 2.0]


def test_retry_after_is_honoured() -> None:
    network = Network(
        lambda number, size: httpx.Response(503, headers={"Retry-After": "7"}) if number == 0 else ok(size)
    )
    pauses = CountedPauses()
    delivery(network, pauses).deliver(BATCH)
    assert pauses.pauses == [7.0]


def test_trouble_that_does_not_pass_ends_with_what_to_do() -> None:
    network = Network(lambda _number, _size: httpx.ConnectError("refused"))
    with pytest.raises(Failure, match=r"gave up after .* running the same command again counts nothing twice"):
        delivery(network, CountedPauses()).deliver(BATCH)


def test_a_request_waits_no_longer_than_what_is_left_of_the_time() -> None:
    network = Network(lambda _number, _size: httpx.ReadTimeout("slow"))
    pauses = CountedPauses()
    with pytest.raises(Failure, match="gave up after 4 s"):
        delivery(network, pauses, give_up_after_s=5.0).deliver(BATCH)
    assert network.patience == [5.0, 4.75, 4.25, 3.25, 1.25, 1.0]
    assert sum(pauses.pauses) < 5.0


def test_where_a_longer_pause_is_asked_for_than_there_is_time_the_last_try_is_a_second_before_the_end() -> None:
    network = Network(lambda _number, _size: httpx.Response(503, headers={"Retry-After": "60"}))
    pauses = CountedPauses()
    with pytest.raises(Failure, match="gave up after 4 s"):
        delivery(network, pauses, give_up_after_s=5.0).deliver(BATCH)
    assert pauses.pauses == [4.0]
    assert network.patience == [5.0, 1.0]


@pytest.mark.parametrize("status", [401, 403, 404, 415])
def test_a_refusal_that_stays_is_not_tried_again(status: int) -> None:
    network = Network(lambda _number, _size: httpx.Response(status))
    with pytest.raises(Failure):
        delivery(network, CountedPauses()).deliver(BATCH)
    assert len(network.sizes) == 1


@pytest.mark.parametrize("status", [400, 413])
def test_a_request_that_one_record_spoils_is_halved_until_that_record_stands_alone(status: int) -> None:
    client = ApplianceClient("http://appliance", None, transport=httpx.MockTransport(_refuse_poison(status)))
    batch = Batch([Record(f"line {number}", b"poison" if number == 5 else b"{}") for number in range(8)], 0)
    outcome = Delivery(client, CountedPauses(), give_up_after_s=1, on_wait=lambda _: None).deliver(batch)
    assert outcome.accepted == 7
    assert [one.record.place for one in outcome.rejected] == ["line 5"]


def _refuse_poison(status: int) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if b"poison" in request.content else ok(request.content.count(b"\n") + 1)

    return answer


def test_rejected_events_are_led_back_to_their_records_also_when_all_are() -> None:
    rejected = [{"index": 3, "id": None, "code": "invalid_time", "detail": "no"}]
    some = {"accepted": 6, "duplicates": 1, "conflicts": 0, "rejected": rejected}
    outcome = delivery(Network(lambda _n, _s: httpx.Response(200, json=some)), CountedPauses()).deliver(BATCH)
    assert (outcome.accepted, outcome.duplicates) == (6, 1)
    assert [(one.record.place, one.code) for one in outcome.rejected] == [("line 3", "invalid_time")]
    everything = [{"index": at, "id": None, "code": "invalid_type", "detail": "no"} for at in range(8)]
    body = {"status": 422, "accepted": 0, "duplicates": 0, "conflicts": 0, "rejected": everything}
    outcome = delivery(Network(lambda _n, _s: httpx.Response(422, json=body)), CountedPauses()).deliver(BATCH)
    assert len(outcome.rejected) == 8


def test_an_answer_that_does_not_add_up_is_not_believed() -> None:
    body: dict[str, object] = {"accepted": 3, "duplicates": 0, "conflicts": 0, "rejected": []}
    with pytest.raises(Failure, match="answered for 3 events out of 8"):
        delivery(Network(lambda _n, _s: httpx.Response(200, json=body)), CountedPauses()).deliver(BATCH)


def test_a_stranger_at_the_address_is_told_apart() -> None:
    network = Network(lambda _n, _s: httpx.Response(200, text="<html>hello</html>"))
    with pytest.raises(Failure, match="check --url"):
        delivery(network, CountedPauses()).deliver(BATCH)


def test_work_that_is_called_off_ends_without_another_request() -> None:
    class CalledOffPauses(CountedPauses):
        def pause(self, seconds: float) -> bool:
            super().pause(seconds)
            return False

    network = Network(lambda _n, _s: httpx.Response(503))
    with pytest.raises(CalledOff):
        delivery(network, CalledOffPauses()).deliver(BATCH)
    assert len(network.sizes) == 1


def test_a_pause_that_lasts_longer_than_it_should_ends_with_a_line_rather_than_a_request_without_time() -> None:
    class Stopped(CountedPauses):
        def elapsed_s(self) -> float:
            return 100.0 if self.pauses else 0.0

    network = Network(lambda _number, _size: httpx.Response(503))
    with pytest.raises(Failure, match="gave up after 100 s"):
        delivery(network, Stopped(), give_up_after_s=5.0).deliver(BATCH)
    assert len(network.sizes) == 1
