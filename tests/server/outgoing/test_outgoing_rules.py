"""What leaves, judged without sending: networks, delays, signatures, seals, and words that nobody can inject into."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from standardwebhooks.webhooks import Webhook

from tallystick.errors import InvalidDefinition
from tallystick.instant import NS_PER_DAY, NS_PER_S, Instant
from tallystick.signals.delivery import Delivery, DeliveryEvent, DeliveryName, DeliveryState
from tallystick.signals.step import Step
from tallystick.testing import SeededEntropy
from tallystick_server.outgoing.networks import Networks, RefusedAddress, UnresolvedName
from tallystick_server.outgoing.payload import Payloads
from tallystick_server.outgoing.retry import DELAYS_S, retry_due_at
from tallystick_server.outgoing.seal import ChannelSecrets, Seal, SealBroken, SigningSecret
from tallystick_server.outgoing.sent import cut
from tallystick_server.outgoing.webhook_address import shown_webhook_url
from tallystick_server.outgoing.webhook_secret import parsed_secret, shown_secret, signature_header
from tallystick_server.outgoing.wording import wording_of
from tests.core.engine.watching import CAP, NOVEMBER, fired

NASTY = "<script>alert(1)</script>\r\nSet-Cookie: x\x1b[31m*_`[a](http://b)\u202e"


def delivery_of(step: Step) -> Delivery:
    return Delivery(
        name=DeliveryName(1, 0),
        token="0" * 16,
        channel="ops",
        event=DeliveryEvent.FIRED,
        state=DeliveryState.WAITING,
        created_at=NOVEMBER,
        tried_from=NOVEMBER,
        due_at=NOVEMBER,
        signals=("cap",),
        step=step,
        summary=None,
    )


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_let_through(address: str) -> None:
    Networks().check(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1", "224.0.0.1", "ff02::1", "0.0.0.0", "240.0.0.1", "100.64.0.1", "192.0.2.1", "localhost", "",  # noqa: S104
    ],
)  # fmt: skip
def test_private_local_and_strange_addresses_are_refused(address: str) -> None:
    with pytest.raises(RefusedAddress):
        Networks().check(address)


def test_an_allowed_network_is_let_through_and_no_other() -> None:
    networks = Networks(["10.20.0.0/16", "::1"])
    networks.check("10.20.3.4")
    networks.check("::ffff:10.20.3.4")
    networks.check("::1")
    for refused in ("10.21.0.1", "127.0.0.1"):
        with pytest.raises(RefusedAddress):
            networks.check(refused)


def test_one_bad_address_among_those_of_a_name_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()

        async def answers(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]

        monkeypatch.setattr(loop, "getaddrinfo", answers)
        with pytest.raises(RefusedAddress, match=r"10\.0\.0\.1"):
            await Networks().resolved("both.example", 80)
        monkeypatch.undo()
        with pytest.raises(UnresolvedName):
            await Networks().resolved("no-such-host.invalid", 80)

    asyncio.run(test())


@given(attempt=st.integers(1, 40), late_s=st.integers(0, 86_400), asked_s=st.none() | st.floats(0, 1e30))
def test_a_retry_is_neither_before_it_was_asked_for_nor_past_the_day(
    attempt: int, late_s: int, asked_s: float | None
) -> None:
    now = Instant(NOVEMBER + late_s * NS_PER_S)
    due_at = retry_due_at(
        attempt=attempt, now=now, tried_from=NOVEMBER, retry_after_s=asked_s, entropy=SeededEntropy(attempt)
    )
    if due_at is None:
        assert late_s + max(DELAYS_S[min(attempt, len(DELAYS_S)) - 1] * 1.2, asked_s or 0) >= 86_400
    else:
        assert now < due_at <= NOVEMBER + NS_PER_DAY
        assert due_at - now >= round((asked_s or 0) * NS_PER_S)


@given(
    body=st.text(st.characters(exclude_categories=["Cs"])),
    secret=st.binary(min_size=16, max_size=64),
    seconds=st.integers(1, 2**31),
)
def test_a_signature_is_the_one_of_the_independent_package(body: str, secret: bytes, seconds: int) -> None:
    ours = signature_header([secret], message_id="msg_1_0_0", timestamp_s=seconds, body=body.encode())
    theirs = Webhook(shown_secret(secret)).sign("msg_1_0_0", datetime.fromtimestamp(seconds, UTC), body)
    assert ours == theirs
    assert parsed_secret(shown_secret(secret)) == secret
    expected = hmac.digest(secret, f"msg_1_0_0.{seconds}.".encode() + body.encode(), hashlib.sha256)
    assert ours == "v1," + b64encode(expected).decode()


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_a", "whsec_c2hvcnQ=", "not base64 at all!", "whsec_" + "A" * 200]
)
def test_a_secret_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parsed_secret(text)
    assert refused.value.field == "secret"
    assert not text or text not in str(refused.value)


def test_what_is_sealed_opens_for_its_channel_alone_and_not_with_a_bit_changed(tmp_path: Path) -> None:
    secrets = ChannelSecrets("https://user:password@example.com/", (SigningSecret(b"s" * 32),))
    sealed = Seal(tmp_path / "k", entropy=SeededEntropy(1)).seal("ops", secrets)
    opener = Seal(tmp_path / "k", entropy=SeededEntropy(2))
    assert opener.open("ops", sealed) == secrets
    assert b"password" not in sealed
    with pytest.raises(SealBroken):
        opener.open("other", sealed)
    for place in range(len(sealed)):
        with pytest.raises(SealBroken):
            opener.open("ops", sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
    with pytest.raises(SealBroken):
        Seal(tmp_path / "none", entropy=SeededEntropy(3)).open("ops", sealed)
    (tmp_path / "bad").write_text("no key")
    with pytest.raises(SealBroken, match="holds no key"):
        Seal(tmp_path / "bad", entropy=SeededEntropy(3)).seal("ops", secrets)


def test_the_same_secrets_sealed_twice_look_different(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "k", entropy=SeededEntropy(1))
    secrets = ChannelSecrets("https://example.com/")
    assert seal.seal("ops", secrets) != seal.seal("ops", secrets)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a/b", "https://example.com/a/b"),
        ("https://u:p@example.com:8443/a?token=t&x=", "https://u:***@example.com:8443/a?token=***&x=***"),
    ],
)
def test_a_webhooks_url_is_shown_without_password_and_values(url: str, shown: str) -> None:
    assert shown_webhook_url(url) == shown


def test_names_of_strangers_inject_nothing_into_text_markdown_or_html() -> None:
    message = Payloads("https://usage.example.com").message(delivery_of(fired(customer=NASTY)), {"cap": CAP})
    wording = wording_of(message)
    for form in (wording.title, wording.text, wording.markdown, wording.html):
        assert "\x1b" not in form
        assert "\r" not in form
        assert "\u202e" not in form
    assert "\n" not in wording.title
    assert "<script" not in wording.html
    assert "[a](http" not in wording.markdown
    assert [line.partition(":")[0] for line in wording.text.splitlines()][:3] == ["What", "Who", "Meter"]


def test_what_is_not_known_before_is_said_in_words() -> None:
    step = structs.replace(fired(), base=Decimal(0), change=None)
    message = Payloads(None).message(delivery_of(step), {"cap": CAP})
    assert "Change: there was nothing before" in wording_of(message).text


@given(st.text(max_size=3_000))
def test_what_is_kept_of_an_answer_is_short_printable_and_on_one_line(text: str) -> None:
    kept = cut(text)
    assert len(kept) <= 1_000
    assert kept.isprintable()
