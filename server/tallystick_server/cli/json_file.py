"""What is given in a file, or on stdin: a definition, an event."""

from __future__ import annotations

from typing import Any

from .failure import BadUse


def json_object(file: str) -> dict[str, Any]:  # Any: JSON that the appliance checks
    """Return the object in a file (`-`: stdin), its numbers exact. Raises `BadUse`."""
    from decimal import Decimal

    import msgspec

    try:
        return msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(content_of(file))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadUse(f"--file: {file!a} holds no JSON object: {error}") from error


def content_of(file: str) -> bytes:
    """Return what is in the file that `--file` names (`-`: stdin). Raises `BadUse` for what looks like an option."""
    import sys
    from pathlib import Path

    if file.startswith("-") and file != "-":
        raise BadUse(f"--file: name a file, or - for stdin, rather than {file!a}")
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
