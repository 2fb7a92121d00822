"""What an operator may set: a TOML file, `TALLYSTICK_*` variables over it, and command-line flags over both.

Promises: an unknown key, or a value of the wrong kind, is refused with one line that names where it stands; no secret is in that line.
Does not: know what the settings do. Each is described in `docs/settings.md`, which a test compares with this file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec

from tallystick.engine_settings import EngineSettings
from tallystick.errors import TallystickError

from .outgoing.apprise_schemes import refused_scheme
from .outgoing.networks import parsed_networks

PREFIX = "TALLYSTICK_"
# Variables of the same prefix that belong to clients and tests.
_NOT_SETTINGS = {
    "TALLYSTICK_URL",
    "TALLYSTICK_API_KEY",
    "TALLYSTICK_FAILPOINTS",
    "TALLYSTICK_CONFIG",
    "TALLYSTICK_CONFIG_HOME",
    "TALLYSTICK_CHANNEL_SECRET",
}
# What Kubernetes puts into every container beside a service named "tallystick".
_SERVICE_LINK = re.compile(r"TALLYSTICK_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP)(?:_\w+)?)", re.ASCII)

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class InvalidSettings(TallystickError, ValueError):
    """Settings that cannot be used; the message is one line and says where."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default; `_s` are seconds, `_bytes` bytes, `_max` the largest allowed."""

    data: str = "./tallystick-data"
    host: str = "127.0.0.1"
    port: Port = 7070
    admin_key: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    cors_origins: tuple[str, ...] = ()
    metrics_open: bool = False
    allowed_networks: tuple[str, ...] = ()
    customer_channels: tuple[str, ...] = ()
    secrets_key_file: str | None = None
    public_url: str | None = None
    connections_max: Count = 4_000
    keep_alive_s: Seconds = 75
    head_timeout_s: Seconds = 15
    body_timeout_s: Seconds = 30
    answer_timeout_s: Seconds = 60
    drain_timeout_s: Seconds = 10
    body_bytes_max: Count = 16 * 1024 * 1024
    bodies_in_flight_bytes_max: Count = 192 * 1024 * 1024
    event_future_max_s: Annotated[int, msgspec.Meta(ge=0)] = 3_600
    decode_inline_bytes: Annotated[int, msgspec.Meta(ge=0)] = 256 * 1024
    decode_threads: Count = 2
    read_threads: Count = 4
    read_queue_max: Count = 256
    scan_threads: Count = 2
    scan_queue_max: Count = 32
    scan_timeout_s: Seconds = 60
    large_answers_max: Count = 4
    streams_max: Count = 64
    polars_threads: Count = 1
    plugins_dir: str | None = None
    engine: EngineSettings = EngineSettings()


def load_settings(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Settings:
    """Return the settings of file, environment and flags, the later over the earlier; a flag that is None was not given.

    Raises `InvalidSettings`.
    """
    found = _file_settings(file) if file is not None else {}
    for name, value in _environment_settings(environment):
        _put(found, name, value)
    for name, value in (flags or {}).items():
        if value is not None:
            found[name] = str(value) if isinstance(value, Path) else value
    try:
        settings = msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"settings: {error}") from error
    _check(settings)
    return settings


def environment_names() -> dict[str, str]:
    """Return the variable of each setting, by the setting's dotted name."""
    return {name: PREFIX + name.replace(".", "_").upper() for name in setting_names()}


def setting_names() -> list[str]:
    """Return the dotted name of each setting, in the order of the file."""
    own = [name for name in Settings.__struct_fields__ if name != "engine"]
    return own + [f"engine.{name}" for name in EngineSettings.__struct_fields__]


def _file_settings(file: Path) -> dict[str, Any]:  # Any: TOML values, checked by msgspec.convert
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSettings(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{file}: is no TOML: {error}") from error
    known = set(setting_names())
    for name, value in found.items():
        if name == "engine" and not isinstance(value, dict):
            raise InvalidSettings(f"{file}: engine is a table: write its settings below [engine]")
        names = [f"engine.{inner}" for inner in cast("dict[str, Any]", value)] if name == "engine" else [name]
        for dotted in names:
            if dotted not in known:
                raise InvalidSettings(f"{file}: unknown setting {dotted!r}; docs/settings.md lists them all")
    return found


def _environment_settings(environment: Mapping[str, str]) -> list[tuple[str, str | list[str] | None]]:
    by_variable = {variable: name for name, variable in environment_names().items()}
    settings: list[tuple[str, str | list[str] | None]] = []
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS or _SERVICE_LINK.fullmatch(variable):
            continue
        if variable == "TALLYSTICK_PORT" and text.startswith("tcp://"):
            continue  # another of Kubernetes' service links
        if variable not in by_variable:
            raise InvalidSettings(f"environment: unknown setting {variable}; docs/settings.md lists them all")
        name = by_variable[variable]
        settings.append((name, _environment_value(name, text)))
    return settings


def _environment_value(name: str, text: str) -> str | list[str] | None:
    if name in ("cors_origins", "allowed_networks", "customer_channels"):
        return [part.strip() for part in text.split(",") if part.strip()]
    if name == "engine.dedupe_window_s" and text.strip().lower() in {"", "none", "forever"}:
        return None
    return text


def _put(found: dict[str, Any], name: str, value: object) -> None:  # Any: as in `_file_settings`
    table, dot, inner = name.partition(".")
    if dot:
        found[table] = {**cast("dict[str, Any]", found.get(table, {})), inner: value}
    else:
        found[table] = value


def _check(settings: Settings) -> None:
    if settings.admin_key is not None and len(settings.admin_key) < 16:  # noqa: PLR2004 - 16 characters: what the store asks of an adopted key
        raise InvalidSettings("settings: admin_key is shorter than 16 characters")
    if settings.bodies_in_flight_bytes_max < 2 * settings.body_bytes_max:
        raise InvalidSettings("settings: bodies_in_flight_bytes_max must hold two bodies of body_bytes_max")
    try:
        parsed_networks(settings.allowed_networks)
    except ValueError as error:
        raise InvalidSettings(f"settings: allowed_networks: {error}") from error
    for kind in settings.customer_channels:
        if kind != "webhook" and (why := refused_scheme(kind)) is not None:
            raise InvalidSettings(f"settings: customer_channels: {kind[:32]!a} is neither webhook nor a service: {why}")
    if settings.public_url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", settings.public_url):
        raise InvalidSettings("settings: public_url is an address such as https://usage.example.com, without query")
    if "*" in settings.cors_origins:
        raise InvalidSettings("settings: cors_origins names origins one by one; '*' is not taken")
