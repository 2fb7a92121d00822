"""Webhooks to receivers that behave well, badly, or not at all: each crossing arrives, and nobody waits for another."""

from __future__ import annotations

import time
from base64 import b64decode
from pathlib import Path

import pytest
from msgspec import structs

from tallystick.signals.delivery import DeliveryState
from tallystick.signals.signal import Digest
from tallystick_server.channels.making import changed_channel
from tallystick_server.channels.schemas import ChannelUpdate
from tests.core.engine.watching import CAP, recovered
from tests.server.outgoing.post import Post, posting, run
from tests.server.outgoing.receiver import Receiver, answering, closing

DAY_S = 86_400


def statuses(post: Post) -> list[int | None]:
    return [attempt.status for each in post.deliveries() for attempt in each.attempts]


def test_a_crossing_arrives_signed_with_what_who_figure_limit_period_and_a_link(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                post.fire("acme")
                (delivery,) = await post.until_over(1)
            (received,) = receiver.received
            assert received.is_verified
            assert received.id == delivery.id
            assert received.headers["content-type"] == "application/json"
            message = received.message
            assert message["type"] == "signal.fired"
            data = message["data"]
            assert (data["signal"], data["customer"], data["figure"], data["limit"]) == ("cap", "acme", 81, 100)
            assert (data["percent"], data["threshold"], data["level"]) == (80, 80, 1)
            assert data["period"] == {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
            assert data["explanation_url"].startswith(
                "https://usage.example.com/v1/meters/calls/explain?from=2026-11-01"
            )
            assert "filter[customer]=acme" in data["explanation_url"]

    run(test)


@pytest.mark.parametrize("status", [199 + 101, 302, 400, 404, 500, 503])
def test_a_refusal_is_tried_again_with_the_same_id_until_it_is_taken(tmp_path: Path, status: int) -> None:
    async def test() -> None:
        with Receiver(answering(status, body=b"not now", location="http://127.0.0.1:1/")) as receiver:
            receiver.is_clock_moved = True
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                post.fire("acme")
                await post.until(lambda: len(statuses(post)) == 1)
                assert post.deliveries()[0].state is DeliveryState.WAITING
                receiver.behaviour = answering(204)
                post.clock.advance(7)
                await post.until_over(1)
                assert statuses(post) == [status, 204]
            assert len({each.id for each in receiver.received}) == 1
            assert all(each.is_verified for each in receiver.received)
            assert len(receiver.received) == 2  # a redirect was not followed

    run(test)


def test_delays_grow_for_a_day_and_then_it_is_given_up(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver(answering(500)) as receiver:
            receiver.is_clock_moved = True
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                began = post.clock.now()
                post.fire("acme")
                tries = 0
                while post.deliveries()[0].state is DeliveryState.WAITING:
                    tries += 1
                    await post.until(lambda tries=tries: post.deliveries()[0].attempt_count >= tries)
                    due_at = post.deliveries()[0].due_at
                    if due_at is not None:
                        post.clock.advance((due_at - post.clock.now()) / 1e9)
                (delivery,) = post.deliveries()
                assert delivery.state is DeliveryState.FAILED
                took_s = (post.clock.now() - began) / 1e9
                gaps = [(b.at - a.at) / 1e9 for a, b in zip(delivery.attempts, delivery.attempts[1:], strict=False)]
            assert DAY_S / 2 < took_s <= DAY_S
            assert gaps[0] < 7
            assert gaps[-1] > 3 * 3_600
            assert 9 <= len(receiver.received) <= 20
            assert {each.id for each in receiver.received} == {delivery.id}

    run(test)


def test_one_that_closes_without_an_answer_is_tried_again(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver(closing) as receiver:
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                post.fire("acme")
                await post.until(lambda: len(statuses(post)) == 1)
                (attempt,) = post.deliveries()[0].attempts
                assert attempt.status is None
                assert "connection" in attempt.detail
                receiver.behaviour = answering(200)
                post.clock.advance(7)
                await post.until_over(1)

    run(test)


def test_nobody_listening_is_an_attempt_with_its_reason(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            gone = receiver.url
        async with posting(tmp_path) as post:
            await post.channel("ops", gone)
            post.watch("ops")
            post.fire("acme")
            await post.until(lambda: len(statuses(post)) == 1)
            assert "no connection" in post.deliveries()[0].attempts[0].detail

    run(test)


def test_one_that_hangs_delays_no_other_channel(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as slow, Receiver() as quick:
            slow.behaviour = slow.hanging
            async with posting(tmp_path) as post:
                await post.channel("slow", slow.url)
                await post.channel("quick", quick.url)
                post.watch("slow", "quick")
                started = time.monotonic()
                post.fire("acme", "beta", "gamma")
                await post.until(lambda: len(quick.received) == 3)
                assert time.monotonic() - started < 5
                assert [each.state for each in post.deliveries(channel="slow")] == [DeliveryState.WAITING] * 3
            assert len(slow.received) == 1

    run(test)


@pytest.mark.slow
def test_no_answer_within_ten_seconds_is_a_failure(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as slow:
            slow.behaviour = slow.hanging
            async with posting(tmp_path) as post:
                await post.channel("slow", slow.url)
                post.watch("slow")
                started = time.monotonic()
                post.fire("acme")
                await post.until(lambda: len(statuses(post)) == 1, timeout_s=15)
                assert 9 < time.monotonic() - started < 13
                assert "no answer within 10 s" in post.deliveries()[0].attempts[0].detail

    run(test)


def test_a_gigabyte_of_answer_is_not_read(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            receiver.behaviour = receiver.talking
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                started = time.monotonic()
                post.fire("acme")
                (delivery,) = await post.until_over(1)
                assert time.monotonic() - started < 5
                assert delivery.state is DeliveryState.DELIVERED
                assert len(delivery.attempts[0].detail) <= 1_000

    run(test)


def test_410_disables_the_channel_and_nothing_more_is_sent_there(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver(answering(410)) as receiver:
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                post.fire("acme")
                (delivery,) = await post.until_over(1)
                assert delivery.state is DeliveryState.FAILED
                assert "410" in (post.engine.outbox.channel("ops").disabled_reason or "")
                post.fire("beta")
                post.clock.advance(3_600)
                await post.until(lambda: len(post.deliveries()) == 2)
            assert len(receiver.received) == 1

    run(test)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_for_the_whole_channel(tmp_path: Path, status: int) -> None:
    async def test() -> None:
        with Receiver(answering(status, retry_after="3600")) as receiver:
            receiver.is_clock_moved = True
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                post.watch("ops", key="other")
                post.fire("acme")
                await post.until(lambda: len(statuses(post)) == 1)
                receiver.behaviour = answering(200)
                post.fire("acme", key="other")
                post.clock.advance(3_500)
                post.engine.outbox.queue_test("ops")
                await post.after_a_look()
                assert len(receiver.received) == 1
                post.clock.advance(101)
                await post.until_over(3)

    run(test)


def test_what_recovered_never_arrives_before_what_fired(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver(answering(500)) as receiver:
            receiver.is_clock_moved = True
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops")
                post.fire("acme")
                await post.until(lambda: len(statuses(post)) == 1)
                post.record([recovered()])
                receiver.behaviour = answering(200)
                await post.after_a_look()
                assert len(receiver.received) == 1
                post.clock.advance(7)
                await post.until_over(2)
            assert [each.message["type"] for each in receiver.received] == [
                "signal.fired",
                "signal.fired",
                "signal.recovered",
            ]

    run(test)


def test_five_thousand_crossings_at_once_are_one_message_a_channel(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as first, Receiver() as second:
            first.is_clock_moved = second.is_clock_moved = True
            async with posting(tmp_path) as post:
                await post.channel("first", first.url)
                await post.channel("second", second.url)
                post.watch("first", "second")
                for start in range(0, 5_000, 500):
                    post.fire(*(f"c{number}" for number in range(start, start + 500)))
                post.clock.advance(3)
                await post.until(lambda: not post.engine.outbox.queues())
            for receiver in (first, second):
                (received,) = receiver.received
                data = received.message["data"]
                assert received.message["type"] == "signal.digest"
                assert (data["reason"], data["fired"], data["recovered"]) == ("storm", 5_000, 0)
                assert data["signals"] == [{"signal": "cap", "fired": 5_000, "recovered": 0}]
                assert len(data["top"]) == 10
                assert data["list_url"].startswith("https://usage.example.com/v1/deliveries?channel=")

    run(test)


def test_an_hourly_digest_is_one_message_at_the_full_hour(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            receiver.is_clock_moved = True
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                post.watch("ops", signal=structs.replace(CAP, digest=Digest.HOURLY))
                post.fire("acme", "beta")
                post.clock.advance(3_600)
                await post.until(lambda: not post.engine.outbox.queues())
            (received,) = receiver.received
            assert (received.message["data"]["reason"], received.message["data"]["fired"]) == ("digest", 2)

    run(test)


def test_while_a_secret_is_changed_receivers_with_either_secret_verify(tmp_path: Path) -> None:
    async def test() -> None:
        newer = "whsec_" + "bmV3ZXIgc2VjcmV0IG9mIDMyIGJ5dGVzIGxlbmd0aCE="
        with Receiver() as old, Receiver(secret=newer) as new:
            old.is_clock_moved = new.is_clock_moved = True
            async with posting(tmp_path) as post:
                for key, receiver in (("old", old), ("new", new)):
                    await post.channel(key, receiver.url)
                    channel = post.engine.outbox.channel(key)
                    patch = ChannelUpdate(secret=newer, keep_secret_s=60)
                    changed = await changed_channel(channel, patch, post.office, now=post.clock.now())
                    post.engine.outbox.put_channel(changed, create=False)
                    assert changed.secret_count == 2
                post.watch("old", "new")
                post.fire("acme")
                await post.until_over(2)
                post.clock.advance(61)
                post.fire("beta")
                await post.until_over(4)
            assert [each.is_verified for each in old.received] == [True, False]
            assert [each.is_verified for each in new.received] == [True, True]
            assert len(new.received[0].headers["webhook-signature"].split(" ")) == 2
            assert len(b64decode(newer.removeprefix("whsec_"))) == 32

    run(test)


def test_a_channel_whose_secrets_do_not_open_says_so_and_is_tried_again(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            async with posting(tmp_path) as post:
                await post.channel("ops", receiver.url)
                channel = post.engine.outbox.channel("ops")
                bad = channel.sealed[:-1] + bytes([channel.sealed[-1] ^ 1])
                post.engine.outbox.put_channel(structs.replace(channel, sealed=bad), create=False)
                post.watch("ops")
                post.fire("acme")
                await post.until(lambda: len(statuses(post)) == 1)
                assert "give url and secret anew" in post.deliveries()[0].attempts[0].detail
                assert receiver.received == []

    run(test)
