"""Which appliance is meant: options beat names, names beat the environment, and a key goes only where it belongs."""

from __future__ import annotations

import pytest

from tallystick_tui.config.choice import DEFAULT_URL, Choice, choose
from tallystick_tui.config.connections import Connections
from tallystick_tui.config.failure import NoSuchConnection, WrongConnection

A, B, C = "https://a.example.com", "https://b.example.com", "https://c.example.com"


@pytest.fixture
def kept(connections: Connections) -> Connections:
    connections.add("a", A, "key-a")
    connections.add("b", B, None)
    return connections


def test_without_a_word_it_is_the_appliance_of_this_machine(connections: Connections) -> None:
    assert choose(connections, {}) == Choice(url=DEFAULT_URL)
    assert choose(connections, {"TALLYSTICK_API_KEY": "e"}) == Choice(url=DEFAULT_URL, api_key="e")


def test_the_one_that_is_used_is_taken_where_none_is_named(kept: Connections) -> None:
    assert choose(kept, {}) == Choice(url=A, name="a", api_key="key-a")


def test_the_environment_beats_the_one_that_is_used(kept: Connections) -> None:
    assert choose(kept, {"TALLYSTICK_URL": C, "TALLYSTICK_API_KEY": "e"}) == Choice(url=C, api_key="e")
    assert choose(kept, {"TALLYSTICK_URL": A + "/"}) == Choice(url=A, name="a", api_key="key-a")


def test_a_name_beats_the_environment_and_its_key_stays_at_home(kept: Connections) -> None:
    environment = {"TALLYSTICK_URL": C, "TALLYSTICK_API_KEY": "e"}
    assert choose(kept, environment, name="a") == Choice(url=A, name="a", api_key="key-a")


def test_a_connection_without_a_key_takes_that_of_the_environment(kept: Connections) -> None:
    assert choose(kept, {"TALLYSTICK_API_KEY": "e"}, name="b") == Choice(url=B, name="b", api_key="e")
    assert choose(kept, {}, name="b") == Choice(url=B, name="b")


def test_options_beat_everything(kept: Connections) -> None:
    environment = {"TALLYSTICK_URL": C, "TALLYSTICK_API_KEY": "e"}
    assert choose(kept, environment, url=B) == Choice(url=B, name="b", api_key="e")
    assert choose(kept, environment, url=B, api_key="o") == Choice(url=B, name="b", api_key="o")
    assert choose(kept, environment, name="a", api_key="o") == Choice(url=A, name="a", api_key="o")


def test_the_key_of_a_connection_is_not_sent_to_another_address(kept: Connections) -> None:
    assert choose(kept, {}, url=C) == Choice(url=C)


def test_two_ways_to_say_which_at_once_are_refused(kept: Connections) -> None:
    with pytest.raises(WrongConnection, match="--url or --connection"):
        choose(kept, {}, url=A, name="a")


def test_a_name_that_nobody_has_is_refused_with_those_that_there_are(kept: Connections) -> None:
    with pytest.raises(NoSuchConnection, match="there are: a, b"):
        choose(kept, {}, name="c")


def test_a_choice_printed_in_a_hurry_does_not_show_the_key(kept: Connections) -> None:
    assert "key-a" not in repr(choose(kept, {}))
