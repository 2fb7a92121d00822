"""Channels and deliveries over HTTP, on a real appliance with real receivers; secrets stay where they are."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.appliance import Appliance
from tests.server.outgoing.receiver import SECRET, Receiver, answering

OTHER_SECRET = "whsec_bmV3ZXIgc2VjcmV0IG9mIDMyIGJ5dGVzIGxlbmd0aCE="  # noqa: S105 - of these tests alone


@pytest.fixture
def open_appliance(start_appliance: Callable[..., Appliance]) -> Appliance:
    return start_appliance(allowed_networks="127.0.0.0/8")


def make(appliance: Appliance, key: str, **fields: Any) -> httpx.Response:  # Any: JSON
    return appliance.client.post("/v1/channels", json={"key": key, "kind": "webhook", **fields})


def files_of(appliance: Appliance) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(appliance.data.rglob("*")) if path.is_file())


def test_a_webhook_is_made_tried_changed_and_deleted(open_appliance: Appliance) -> None:
    with Receiver() as receiver:
        made = make(open_appliance, "ops", url=receiver.url, secret=SECRET)
        assert made.status_code == 201, made.text
        assert made.json()["secret"] is None
        tried = open_appliance.client.post("/v1/channels/ops/test")
        assert (tried.status_code, tried.json()["state"]) == (200, "delivered"), tried.text
        (received,) = receiver.received
        assert received.is_verified
        assert received.id == tried.json()["id"]
        assert received.message["type"] == "channel.test"
        assert received.message["data"]["channel"] == "ops"
        changed = open_appliance.client.patch("/v1/channels/ops", json={"name": "Operations", "secret": OTHER_SECRET})
        assert (changed.json()["name"], changed.json()["secrets"], changed.json()["version"]) == ("Operations", 2, 2)
        assert open_appliance.client.get("/v1/channels").json()["items"] == [changed.json()]
        again = open_appliance.client.post(f"/v1/deliveries/{received.id}/redeliver")
        assert again.json()["state"] == "waiting"
        assert receiver.wait_for(2)[1].id == received.id
        assert open_appliance.client.delete("/v1/channels/ops").status_code == 204
        assert open_appliance.client.get("/v1/channels/ops").status_code == 404


def test_a_test_that_does_not_arrive_says_why_and_is_not_tried_again(open_appliance: Appliance) -> None:
    with Receiver(answering(500, body=b"out of order\x1b[31m")) as receiver:
        make(open_appliance, "ops", url=receiver.url, secret=SECRET)
        tried = open_appliance.client.post("/v1/channels/ops/test").json()
    assert tried["state"] == "failed"
    assert (tried["attempts"][0]["status"], tried["attempts"][0]["detail"][:12]) == (500, "out of order")
    assert "\x1b" not in tried["attempts"][0]["detail"]
    page = open_appliance.client.get("/v1/deliveries", params={"channel": "ops", "state": "failed"}).json()
    assert [item["id"] for item in page["items"]] == [tried["id"]]
    assert open_appliance.client.get(f"/v1/deliveries/{tried['id']}").json() == tried


def test_a_receiver_that_is_gone_disables_its_channel_until_somebody_takes_it_back(open_appliance: Appliance) -> None:
    with Receiver(answering(410)) as receiver:
        make(open_appliance, "ops", url=receiver.url, secret=SECRET)
        open_appliance.client.post("/v1/channels/ops/test")
        shown = open_appliance.client.get("/v1/channels/ops").json()
        assert shown["enabled"] is False
        assert "410" in shown["disabled_reason"]
        assert "tallystick_channels_disabled 1.0" in open_appliance.client.get("/metrics").text
        assert open_appliance.client.post("/v1/channels/ops/test").status_code == 422
        receiver.behaviour = answering(200)
        assert open_appliance.client.patch("/v1/channels/ops", json={"enabled": True}).json()["enabled"] is True
        assert open_appliance.client.post("/v1/channels/ops/test").json()["state"] == "delivered"
    assert "channel disabled" in open_appliance.log


def test_a_secret_that_is_made_here_is_shown_once_and_signs(open_appliance: Appliance) -> None:
    with Receiver() as receiver:
        made = make(open_appliance, "ops", url=receiver.url).json()
        receiver.secret = made["secret"]
        assert made["secret"].startswith("whsec_")
        open_appliance.client.post("/v1/channels/ops/test")
        assert receiver.received[0].is_verified
        assert "secret" not in open_appliance.client.get("/v1/channels/ops").json()


def test_no_secret_is_in_an_answer_a_log_or_a_file_and_the_key_is_its_owners_alone(open_appliance: Appliance) -> None:
    with Receiver() as receiver:
        url = receiver.url.replace("http://", "http://user:pass-word-1@") + "?token=token-in-query"
        answers = [make(open_appliance, "hook", url=url, secret=SECRET).text]
    mail = "mailto://user:pass-word-2@127.0.0.1/?to=a@example.com"
    answers.append(make(open_appliance, "mail", kind="apprise", url=mail).text)
    answers += [open_appliance.client.post(f"/v1/channels/{key}/test").text for key in ("hook", "mail")]
    answers.append(open_appliance.client.get("/v1/channels").text)
    answers.append(open_appliance.client.get("/v1/deliveries").text)
    key_file = open_appliance.data / "secrets.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    open_appliance.terminate()
    everything = "\n".join(answers).encode() + open_appliance.log.encode() + files_of(open_appliance)
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "pass-word-1", "pass-word-2", "token-in-query"):
        assert secret.encode() not in everything


def test_channels_outlive_a_restart_and_say_so_when_their_key_is_gone(
    start_appliance: Callable[..., Appliance], tmp_path: Path
) -> None:
    key_file = tmp_path / "keys" / "channels.key"
    appliance = start_appliance(allowed_networks="127.0.0.0/8", secrets_key_file=key_file)
    with Receiver() as receiver:
        make(appliance, "ops", url=receiver.url, secret=SECRET)
        assert not (appliance.data / "secrets.key").exists()
        appliance.restart()
        assert appliance.client.post("/v1/channels/ops/test").json()["state"] == "delivered"
        key_file.rename(key_file.with_suffix(".old"))
        appliance.restart()
        tried = appliance.client.post("/v1/channels/ops/test").json()
        assert tried["state"] == "failed"
        assert "cannot be used" in tried["attempts"][0]["detail"]
        renewed = appliance.client.patch("/v1/channels/ops", json={"url": receiver.url, "secret": SECRET})
        assert renewed.status_code == 200, renewed.text
        assert appliance.client.post("/v1/channels/ops/test").json()["state"] == "delivered"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1/x", "loopback"),
        ("http://localhost:1/x", "loopback"),
        ("http://2130706433/x", "loopback"),
        ("http://0x7f.1/x", "loopback"),
        ("http://[::1]/x", "loopback"),
        ("http://[::ffff:127.0.0.1]/x", "loopback"),
        ("http://[64:ff9b::a00:1]/x", "private"),
        ("http://[2002:a00:1::]/x", "private"),
        ("http://10.1.2.3/x", "private"),
        ("http://172.16.0.1/x", "private"),
        ("http://192.168.1.1/x", "private"),
        ("http://100.64.0.1/x", "private"),
        ("http://[fd00::1]/x", "private"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://[fe80::1]/x", "link-local"),
        ("http://224.0.0.1/x", "multicast"),
        ("http://0.0.0.0/x", "reserved"),
        ("http://255.255.255.255/x", "reserved"),
        ("ftp://example.com/x", "https://"),
        ("file:///etc/passwd", "https://"),
        ("http:///x", "no host"),
        ("http://example.com/x y", "printable"),
        ("http://exa\tmple.com/", "printable"),
        ("http://example.com:99999/", "no URL"),
        ("http://example.com/#part", "fragment"),
        ("http://user:***@example.com/", "***"),
        ("nonsense", "https://"),
    ],
)
def test_an_address_that_is_private_local_or_none_is_refused_with_its_reason(
    appliance: Appliance, name: str, url: str, said: str
) -> None:
    answer = make(appliance, name, url=url, secret=SECRET)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "url"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"secret": "whsec_not base64"}, "secret"),
        ({"secret": "whsec_c2hvcnQ="}, "secret"),
        ({"key": "..", "secret": SECRET}, "key"),
        ({"kind": "apprise", "url": "slack://only-one-part"}, "url"),
        ({"kind": "apprise", "url": "pover://user@token", "secret": SECRET}, "secret"),
    ],
)
def test_a_channel_that_breaks_a_rule_is_refused_naming_the_field(
    appliance: Appliance, name: str, fields: dict[str, str], field: str
) -> None:
    answer = make(
        appliance, **({"key": name, "url": "https://192.0.2.1/"} | {"url": "https://93.184.216.34/"} | fields)
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == field
    assert SECRET not in answer.text


def test_a_public_name_that_does_not_resolve_now_is_taken_and_fails_when_it_is_sent(
    appliance: Appliance, name: str
) -> None:
    made = make(appliance, name, url="https://no-such-host.invalid/hook", secret=SECRET)
    assert made.status_code == 201, made.text
    tried = appliance.client.post(f"/v1/channels/{name}/test").json()
    assert tried["state"] == "failed"
    assert "resolve" in tried["attempts"][0]["detail"]


def test_the_same_key_again_is_a_conflict_and_other_keys_may_not_make_channels(appliance: Appliance, name: str) -> None:
    assert make(appliance, name, url="https://no-such-host.invalid/", secret=SECRET).status_code == 201
    assert make(appliance, name, url="https://no-such-host.invalid/", secret=SECRET).status_code == 409
    with appliance.client_with(appliance.new_key("read")) as reader:
        assert reader.get("/v1/channels").status_code == 200
        assert reader.get("/v1/deliveries").status_code == 200
        assert (
            reader.post("/v1/channels", json={"key": "x", "kind": "webhook", "url": "https://x.invalid/"}).status_code
            == 403
        )
        assert reader.post(f"/v1/channels/{name}/test").status_code == 403


def test_the_settings_of_an_appliance_do_not_reach_the_process_that_speaks_to_others(open_appliance: Appliance) -> None:
    make(open_appliance, "mail", kind="apprise", url="mailto://u:p@127.0.0.1/?to=a@example.com")
    children = [
        int(pid)
        for pid in Path(f"/proc/{open_appliance.process.pid}/task/{open_appliance.process.pid}/children")
        .read_text()
        .split()
    ]
    assert len(children) == 1
    environment = Path(f"/proc/{children[0]}/environ").read_bytes()
    assert b"TALLYSTICK" not in environment
    gone = os.pidfd_open(children[0])
    open_appliance.kill()
    # Its stdin ended with its parent, and so does it.
    readable, _, _ = select.select([gone], [], [], 20)
    os.close(gone)
    assert readable
