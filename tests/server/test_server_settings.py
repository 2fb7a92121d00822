"""Settings: file, variables and flags, and the page that documents them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tallystick_server.settings import InvalidSettings, Settings, environment_names, load_settings, setting_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_a_flag_beats_a_variable_and_a_variable_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text('host = "file"\nport = 1\ndata = "file"\n[engine]\nqueue_events_max = 1\ngroup_events_max = 1\n')
    environment = {"TALLYSTICK_PORT": "2", "TALLYSTICK_DATA": "variable", "TALLYSTICK_ENGINE_QUEUE_EVENTS_MAX": "2"}
    settings = load_settings(file, environment, {"data": Path("flag"), "port": None})
    assert (settings.host, settings.port, settings.data) == ("file", 2, "flag")
    assert (settings.engine.queue_events_max, settings.engine.group_events_max) == (2, 1)


def test_variables_hold_lists_truths_and_nothing() -> None:
    settings = load_settings(
        None,
        {
            "TALLYSTICK_CORS_ORIGINS": "https://a.example, https://b.example",
            "TALLYSTICK_METRICS_OPEN": "true",
            "TALLYSTICK_ENGINE_DEDUPE_WINDOW_S": "none",
        },
    )
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.metrics_open is True
    assert settings.engine.dedupe_window_s is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "unknown setting 'prot'"),
        ("[engine]\nqueue = 1", "unknown setting 'engine.queue'"),
        ("port = 'x'", "$.port"),
        ("port = 70000", "$.port"),
        ("engine = 1", "engine is a table"),
        ("port = ", "is no TOML"),
        ("admin_key = 'short'", "shorter than 16"),
        ("cors_origins = ['*']", "'*' is not taken"),
        ("bodies_in_flight_bytes_max = 1", "two bodies"),
        ("customer_channels = ['webhook', 'dbus']", "customer_channels: 'dbus'"),
    ],
)
def test_a_bad_file_is_refused_with_one_line_that_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "t.toml"
    file.write_text(text)
    with pytest.raises(InvalidSettings) as refused:
        load_settings(file, {})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {})


def test_an_unknown_variable_is_refused_and_those_of_others_are_left_alone() -> None:
    with pytest.raises(InvalidSettings, match="TALLYSTICK_PROT"):
        load_settings(None, {"TALLYSTICK_PROT": "1"})
    others = {
        "TALLYSTICK_URL": "u",
        "TALLYSTICK_API_KEY": "k",
        "TALLYSTICK_SERVICE_HOST": "10.0.0.1",
        "TALLYSTICK_SERVICE_PORT_HTTP": "80",
        "TALLYSTICK_PORT": "tcp://10.0.0.1:80",
        "TALLYSTICK_PORT_80_TCP_ADDR": "10.0.0.1",
        "PATH": "/",
    }
    assert load_settings(None, others) == Settings()


def test_a_secret_is_not_in_the_refusal(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text("admin_key = ['very-secret-key-0123456789']")
    with pytest.raises(InvalidSettings) as refused:
        load_settings(file, {})
    assert "very-secret" not in str(refused.value)


def test_every_setting_is_in_the_page_with_its_default() -> None:
    page = PAGE.read_text()
    defaults = msgspec.to_builtins(Settings())
    defaults |= {f"engine.{name}": value for name, value in defaults.pop("engine").items()}
    for name in setting_names():
        default = defaults[name]
        shown = (
            "none" if default in (None, ()) else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        )
        assert f"| `{name}` | {shown} |" in page, name


def test_every_setting_has_a_variable_of_its_own() -> None:
    names = environment_names()
    assert len(set(names.values())) == len(setting_names())
