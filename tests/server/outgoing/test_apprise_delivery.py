"""Apprise to real receivers: mail by SMTP, Slack's and Discord's own payloads, and what a receiver may not do to the appliance."""

from __future__ import annotations

import socket
import sys
import time
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Self

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec import structs

from tallystick.errors import InvalidDefinition
from tallystick.signals.channel import ChannelKind
from tallystick.signals.delivery import DeliveryState
from tests.core.engine.watching import CAP
from tests.server.outgoing.post import posting, run
from tests.server.outgoing.receiver import Receiver, answering

# The services' addresses are constants of Apprise: this child is ours with two of them changed to lead here.
CHILD = (sys.executable, "-m", "tests.server.outgoing.local_services_child")


class MailBox:
    """An SMTP server on loopback; `mails` is what came."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.recipients: list[list[str]] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 Message accepted for delivery"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def bodies(mail: Message) -> str:
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    return "\n".join(part.decode() for part in parts if isinstance(part, bytes))


def test_a_mail_arrives_with_figure_limit_customer_and_link(tmp_path: Path) -> None:
    async def test() -> None:
        with MailBox() as box:
            async with posting(tmp_path) as post:
                url = f"mailto://127.0.0.1:{box.port}/?from=usage@example.com&to=ops@example.com&mode=insecure"
                await post.channel("mail", url, kind=ChannelKind.APPRISE)
                post.watch("mail", signal=structs.replace(CAP, name="Monthly cap"))
                post.fire("<b>acme</b>")
                (delivery,) = await post.until_over(1, timeout_s=60)
                assert delivery.state is DeliveryState.DELIVERED, delivery.attempts
            (mail,) = box.mails
            assert box.recipients == [["ops@example.com"]]
            assert str(mail["subject"]).startswith("Monthly cap at 80 % for")
            text = bodies(mail)
            assert "&lt;b&gt;acme&lt;/b&gt;" in text
            html = next(part for part in mail.walk() if part.get_content_type() == "text/html")
            assert "<b>acme</b>" not in bodies(html)
            assert "81" in text
            assert "100" in text
            assert "https://usage.example.com/v1/meters/calls/explain" in text

    run(test)


def test_slack_and_discord_get_their_own_payloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        with Receiver(answering(200, body=b"ok")) as receiver:
            monkeypatch.setenv("LANG", f"receiver-port-{receiver.port}")
            async with posting(tmp_path, child=CHILD) as post:
                slack = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"
                await post.channel("slack", slack, kind=ChannelKind.APPRISE)
                await post.channel(
                    "discord", "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", kind=ChannelKind.APPRISE
                )
                post.watch("slack", "discord")
                post.fire("acme")
                over = await post.until_over(2, timeout_s=60)
                assert [each.state for each in over] == [DeliveryState.DELIVERED] * 2, over
            by_path = {each.path.split("/")[1]: msgspec.json.decode(each.body) for each in receiver.received}
            assert by_path["services"]["channel"] == "#ops"
            assert "acme" in str(by_path["services"]["attachments"])
            assert "acme" in str(by_path["api"])
            assert "81" in str(by_path["api"])

    run(test)


def test_a_receiver_that_refuses_is_tried_again_and_its_secret_is_in_no_attempt(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver(answering(500)) as receiver:
            async with posting(tmp_path) as post:
                url = f"json://user:verysecret@127.0.0.1:{receiver.port}/path-with-token/"
                await post.channel("json", url, kind=ChannelKind.APPRISE)
                assert "verysecret" not in post.engine.outbox.channel("json").address
                assert b"verysecret" not in post.engine.outbox.channel("json").sealed
                post.watch("json")
                post.fire("acme")
                await post.until(lambda: post.deliveries()[0].attempt_count == 1, timeout_s=60)
                (attempt,) = post.deliveries()[0].attempts
                assert attempt.detail
                assert "verysecret" not in attempt.detail
                receiver.behaviour = answering(200)
                post.clock.advance(7)
                await post.until_over(1)
                assert len(receiver.received) == 2

    run(test)


def test_neither_a_redirect_nor_a_gigabyte_nor_silence_gets_further_with_apprise_than_with_webhooks(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        with Receiver() as target, Receiver() as redirecting, Receiver() as talking, Receiver() as hanging:
            redirecting.behaviour = answering(307, location=target.url)
            talking.behaviour = talking.talking
            hanging.behaviour = hanging.hanging
            async with posting(tmp_path) as post:
                named = {"redirecting": redirecting, "talking": talking, "hanging": hanging, "target": target}
                for key, receiver in named.items():
                    await post.channel(key, f"json://127.0.0.1:{receiver.port}/{key}", kind=ChannelKind.APPRISE)
                post.watch("hanging", "talking", "redirecting", "target")
                started = time.monotonic()
                post.fire("acme")
                await post.until(lambda: len(post.deliveries(channel="target")[0].attempts) == 1, timeout_s=60)
                await post.until(lambda: len(post.deliveries(channel="redirecting")[0].attempts) == 1, timeout_s=60)
                await post.until(lambda: len(post.deliveries(channel="talking")[0].attempts) == 1, timeout_s=60)
                await post.until(lambda: len(post.deliveries(channel="hanging")[0].attempts) == 1, timeout_s=60)
                assert time.monotonic() - started < 40
                assert post.deliveries(channel="redirecting")[0].state is DeliveryState.WAITING
                assert post.deliveries(channel="hanging")[0].state is DeliveryState.WAITING
            assert [each.path for each in target.received] == ["/target"]

    run(test)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("json://127.0.0.1/x", "loopback"),
        ("json://localhost/x", "loopback"),
        ("json://[::1]/x", "loopback"),
        ("json://[::ffff:10.0.0.1]/x", "private"),
        ("json://169.254.169.254/latest", "link-local"),
        ("mailto://u:p@example.com?smtp=10.0.0.1&to=a@example.com", "private"),
        ("file:///etc/passwd", "not among the services"),
        ("syslog://", "not among the services"),
        ("dbus://", "not among the services"),
        ("windows://", "not among the services"),
        ("https://hooks.example.com/x", "kind webhook"),
        ("slack://only-one-part", "no complete slack:// URL"),
        ("nonsense", "not among the services"),
        ("json://example.com/?template=/etc/passwd", "option 'template'"),
        ("json://example.com/?redirect=yes", "option 'redirect'"),
        ("mailto://u:****@example.com", "asterisks"),
    ],
)
def test_an_address_that_is_refused_is_refused_when_it_is_saved_with_a_reason(
    tmp_path: Path, url: str, said: str
) -> None:
    async def test() -> None:
        async with posting(tmp_path, allowed=()) as post:
            with pytest.raises(InvalidDefinition, match=said) as refused:
                await post.channel("bad", url, kind=ChannelKind.APPRISE)
            assert "u:p" not in str(refused.value)

    run(test)


def test_an_address_that_was_good_when_saved_is_refused_when_sent(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            async with posting(tmp_path) as post:
                await post.channel("json", f"json://127.0.0.1:{receiver.port}/", kind=ChannelKind.APPRISE)
                post.watch("json")
            async with posting(tmp_path, allowed=("10.0.0.0/8",)) as post:
                post.fire("acme")
                await post.until(lambda: post.deliveries()[0].attempt_count == 1, timeout_s=60)
                assert "loopback" in post.deliveries()[0].attempts[0].detail
            assert receiver.received == []

    run(test)


def test_a_signals_template_makes_the_text_and_a_bad_one_leaves_the_default(tmp_path: Path) -> None:
    async def test() -> None:
        with Receiver() as receiver:
            async with posting(tmp_path) as post:
                await post.channel("json", f"json://127.0.0.1:{receiver.port}/", kind=ChannelKind.APPRISE)
                post.watch(
                    "json",
                    key="good",
                    signal=structs.replace(CAP, template="{{ who }} used {{ figure }} of {{ limit }}"),
                )
                post.watch("json", key="bad", signal=structs.replace(CAP, template="{{ nothing.at.all }}"))
                post.watch("json", key="endless", signal=structs.replace(CAP, template=ENDLESS))
                for key in ("good", "bad", "endless"):
                    post.fire("acme", key=key)
                over = await post.until_over(3, timeout_s=90)
            said = {each.signals[0]: each.attempts[0].detail for each in over}
            texts = [msgspec.json.decode(each.body)["message"] for each in receiver.received]
            assert texts[0] == "acme used 81 of 100"
            assert all("Figure: 81" in text for text in texts[1:])
            assert "'nothing' is undefined" in said["bad"]
            assert "template was left out" in said["endless"]

    run(test)


ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__ }}", "{{ nope }}", "{{ 'a' * 10 ** 10 }}", "{% if %}", ENDLESS, "{{ '%9999999999d' % 1 }}"],
)
def test_a_template_that_cannot_be_filled_in_is_refused_when_it_is_saved(tmp_path: Path, template: str) -> None:
    async def test() -> None:
        async with posting(tmp_path) as post:
            with pytest.raises(InvalidDefinition, match="template"):
                await post.office.check_template(template)
            await post.office.check_template("{{ title }}: {{ who }} {{ figure }} {{ period.start }}")

    run(test)
