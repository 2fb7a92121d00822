"""Structured logs on stderr: JSON lines for machines, a readable form on a terminal.

Promises: control characters are escaped in both forms, so that what a client sends cannot forge a line or drive a terminal; keys and
other secrets are never among the fields (a processor drops them should a caller slip).
Does not: log each ingest request; the metrics count those.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import msgspec
import structlog

Logger = structlog.typing.FilteringBoundLogger
_SECRET_NAMES = frozenset({"key", "secret", "token", "authorization", "x_api_key", "admin_key", "password"})
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    code: f"\\u{code:04x}" for code in (*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
}
Fields = MutableMapping[str, Any]  # Any: structlog's event dictionary holds whatever a caller names


def configure_logs(level: str, form: str, *, stream: TextIO | None = None) -> None:
    """Set structlog, and the few lines that uvicorn writes by `logging`, to one stream and one form."""
    out = stream or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else _json_line  # Any: two kinds of renderer
    before: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*before, structlog.processors.format_exc_info, _drop_secrets, _escape, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def logger(name: str) -> Logger:
    """Return a logger whose lines carry the name of what writes them."""
    return structlog.get_logger(source=name)


class _ToStructlog(logging.Handler):
    """Hands what libraries log to structlog, so that there is one form."""

    def emit(self, record: logging.LogRecord) -> None:
        log = logger(record.name)
        log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _json_line(_logger: object, _method: str, fields: Fields) -> str:
    ordered = {
        "time": fields.pop("timestamp", None),
        "level": fields.pop("level", None),
        "event": fields.pop("event", ""),
    }
    return msgspec.json.encode(ordered | dict(fields), enc_hook=repr).decode()


def _drop_secrets(_logger: object, _method: str, fields: Fields) -> Fields:
    for name in fields:
        if name in _SECRET_NAMES:
            fields[name] = "***"
    return fields


def _escape(_logger: object, _method: str, fields: Fields) -> Fields:
    for name, value in fields.items():
        if isinstance(value, str) and name != "exception":
            fields[name] = value.encode("utf-8", "backslashreplace").decode().translate(_ESCAPES)
    return fields
