"""Connections are kept under names, their keys apart, and nothing is lost to damage or to two programs at once."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_tui.config.connections import CONNECTIONS_MAX, Connections, checked_url, is_readable_on_the_way
from tallystick_tui.config.failure import ConfigFailure, NoSuchConnection, WrongConnection
from tallystick_tui.config.key_store import KeyPlace, KeyringUnusable, KeyStore
from tests.tui.config.fake_keyring import FakeKeyring

URL = "https://usage.example.com"
KEY = "tallystick-key-0123456789"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything_in(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.iterdir() if path.is_file())


def test_a_connection_added_is_there_for_the_next_program(connections: Connections, folder: Path) -> None:
    connections.add("prod", URL + "/", KEY)
    again = Connections(folder, say=print)
    assert again.get("prod").url == URL
    assert again.key_of("prod") == KEY
    assert again.name_of(URL) == "prod"


def test_with_a_keyring_the_key_is_in_no_file(connections: Connections, folder: Path, ring: FakeKeyring) -> None:
    assert connections.add("prod", URL, KEY).key_in is KeyPlace.KEYRING
    assert list(ring.kept.values()) == [KEY]
    assert KEY not in everything_in(folder)
    assert connections.key_of("prod") == KEY


def test_without_a_keyring_the_key_is_in_a_file_for_its_owner_alone(
    connections: Connections, folder: Path, said: list[str]
) -> None:
    assert connections.add("prod", URL, KEY).key_in is KeyPlace.FILE
    assert mode_of(folder) == 0o700
    assert {path.name: mode_of(path) for path in folder.iterdir()} == {
        ".connections.json.lock": 0o600,
        ".keys.json.lock": 0o600,
        "connections.json": 0o600,
        "keys.json": 0o600,
    }
    assert KEY not in (folder / "connections.json").read_text()
    assert "keyring cannot be used" in said[0]
    assert KEY not in "".join(said)


def test_a_keyring_that_keeps_nothing_is_found_out(connections: Connections) -> None:
    keyring.set_keyring(FakeKeyring(forgets=True))
    assert connections.add("prod", URL, KEY).key_in is KeyPlace.FILE
    assert connections.key_of("prod") == KEY


def test_a_keyring_that_fails_in_its_own_way_is_reported_without_the_key(folder: Path, said: list[str]) -> None:
    def trouble() -> None:
        raise LookupError(f"org.freedesktop.secrets is gone. Tried {KEY}")

    keyring.set_keyring(FakeKeyring(trouble=trouble))
    assert Connections(folder, say=said.append).add("prod", URL, KEY).key_in is KeyPlace.FILE
    assert "org.freedesktop.secrets is gone" in said[0]
    assert KEY not in said[0]


def test_a_keyring_that_never_answers_does_not_hold_up_the_program(folder: Path, said: list[str]) -> None:
    never = threading.Event()

    def wait_for_ever() -> None:
        never.wait()

    keyring.set_keyring(FakeKeyring(trouble=wait_for_ever))
    keys = KeyStore(folder, say=said.append, answer_timeout_s=0.05)
    try:
        assert Connections(folder, say=said.append, keys=keys).add("prod", URL, KEY).key_in is KeyPlace.FILE
    finally:
        never.set()
    assert "did not answer within" in said[0]


def test_who_wants_the_keyring_gets_it_or_a_refusal(connections: Connections, folder: Path) -> None:
    with pytest.raises(KeyringUnusable):
        connections.add("prod", URL, KEY, place=KeyPlace.KEYRING)
    assert connections.read().connections == {}
    assert not (folder / "keys.json").exists()


def test_a_key_does_not_follow_an_address_that_was_changed_by_hand(connections: Connections, folder: Path) -> None:
    connections.add("prod", URL, KEY)
    file = folder / "connections.json"
    file.write_text(file.read_text().replace("usage.example.com", "evil.example.com"))
    assert connections.get("prod").url == "https://evil.example.com"
    assert connections.key_of("prod") is None


def test_adding_again_replaces_the_address_and_drops_the_key_of_the_one_before(
    connections: Connections, ring: FakeKeyring
) -> None:
    connections.add("prod", URL, KEY)
    connections.add("prod", "https://other.example.com", KEY + "2")
    assert list(ring.kept.values()) == [KEY + "2"]
    assert connections.key_of("prod") == KEY + "2"


def test_removing_takes_the_key_along(connections: Connections, folder: Path, ring: FakeKeyring) -> None:
    connections.add("a", URL, KEY)
    connections.add("b", URL, KEY, place=KeyPlace.FILE)
    connections.remove("a")
    connections.remove("b")
    assert ring.kept == {}
    assert KEY not in everything_in(folder)
    with pytest.raises(NoSuchConnection, match="'a'; there are: none"):
        connections.remove("a")


def test_the_first_one_is_used_until_another_is_chosen(connections: Connections) -> None:
    connections.add("first", URL, None)
    connections.add("second", URL + "/2", None)
    assert connections.read().used == "first"
    connections.use("second")
    assert connections.read().used == "second"
    connections.remove("second")
    assert connections.read().used is None
    with pytest.raises(NoSuchConnection, match="there are: first"):
        connections.use("third")


def test_a_file_that_others_could_read_is_closed_to_them_and_that_is_said(
    connections: Connections, folder: Path, said: list[str]
) -> None:
    connections.add("prod", URL, KEY)
    (folder / "keys.json").chmod(0o644)
    said.clear()
    assert connections.key_of("prod") == KEY
    assert mode_of(folder / "keys.json") == 0o600
    assert "others could read it (mode 0644)" in said[0]
    said.clear()
    assert connections.key_of("prod") == KEY
    assert said == []


def test_a_link_in_the_place_of_the_file_is_refused(connections: Connections, folder: Path, tmp_path: Path) -> None:
    connections.add("prod", URL, KEY)
    (folder / "keys.json").rename(tmp_path / "elsewhere.json")
    (folder / "keys.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ConfigFailure, match="it is a link"):
        connections.key_of("prod")


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"connections": {"a b": {"url": "https://x"}}}', b"\xff\xfe", b"{}" * 200_000]
)
def test_a_damaged_list_is_set_aside_and_a_new_one_begins(
    connections: Connections, folder: Path, said: list[str], damage: bytes
) -> None:
    folder.mkdir()
    (folder / "connections.json").write_bytes(damage)
    assert connections.read().connections == {}
    assert "set aside as connections.json.damaged-1" in said[-1]
    assert (folder / "connections.json.damaged-1").read_bytes() == damage
    connections.add("prod", URL, None)
    assert list(connections.read().connections) == ["prod"]


def test_damaged_keys_are_set_aside_without_a_word_of_what_they_were(
    connections: Connections, folder: Path, said: list[str]
) -> None:
    connections.add("prod", URL, KEY)
    (folder / "keys.json").write_text(f'{{"keys": "{KEY}')
    said.clear()
    assert connections.key_of("prod") is None
    assert "set aside" in said[0]
    assert KEY not in said[0]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigFailure, match="file"):
        Connections(tmp_path / "file" / "config", say=said.append).add("prod", URL, None)


def test_programs_that_add_at_once_lose_nothing(folder: Path) -> None:
    def add(number: int) -> None:
        Connections(folder, say=lambda _line: None).add(f"c{number}", URL, f"{KEY}{number}", place=KeyPlace.FILE)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connections = Connections(folder, say=print)
    assert {name: connections.key_of(name) for name in connections.read().connections} == {
        f"c{number}": f"{KEY}{number}" for number in range(12)
    }


def test_there_is_a_bound_to_how_many_there_are(connections: Connections) -> None:
    for number in range(CONNECTIONS_MAX):
        connections.add(f"c{number}", URL, None)
    with pytest.raises(ConfigFailure, match="100 connections already"):
        connections.add("one-more", URL, None)
    connections.add("c0", URL + "/new", None)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "é", "a" * 65, "a\n"])
def test_a_name_that_a_shell_or_a_file_would_stumble_over_is_refused(connections: Connections, name: str) -> None:
    with pytest.raises(WrongConnection, match="is no name"):
        connections.add(name, URL, None)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://x",
        "http://",
        "http://:7070",
        "http://a:b@c",
        "https://a/?key=b",
        "https://a/#b",
        "http://a b",
        "http://a:x",
        "http://[::1",
        "http://é",
        "http://a\n",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(connections: Connections, url: str) -> None:
    with pytest.raises(WrongConnection):
        connections.add("prod", url, None)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "ключ", "\x1b[0m"])
def test_a_key_that_can_be_none_is_refused(connections: Connections, key: str) -> None:
    with pytest.raises(WrongConnection, match="copy it again"):
        connections.add("prod", URL, key)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused_in_words(text: str) -> None:
    try:
        words = checked_url(text)
    except WrongConnection as refusal:
        words = f"http://refused: {refusal}"
    assert words.startswith(("http://", "https://"))
    assert words.isprintable()


def test_a_key_over_http_is_readable_on_the_way_but_not_on_this_machine() -> None:
    assert is_readable_on_the_way("http://usage.example.com")
    assert not is_readable_on_the_way("http://127.0.0.1:7070")
    assert not is_readable_on_the_way("https://usage.example.com")
