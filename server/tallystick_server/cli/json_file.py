"""A definition in a JSON file, or on stdin."""

from __future__ import annotations

from typing import Any

from .failure import BadUse


def json_object(file: str) -> dict[str, Any]:  # Any: JSON that the appliance checks
    """Return the object in a file (`-`: stdin), its numbers exact. Raises `BadUse`."""
    import sys
    from decimal import Decimal
    from pathlib import Path

    import msgspec

    if file.startswith("-") and file != "-":
        raise BadUse(f"--file: name a file, or - for stdin, rather than {file!a}")
    text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadUse(f"--file: {file!a} holds no JSON object: {error}") from error
