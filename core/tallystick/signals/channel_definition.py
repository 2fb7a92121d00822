"""Whether a channel is one, as far as the store can see: its key and its texts. Whether the address may be used, the server says."""

from __future__ import annotations

import re
from typing import Final

from tallystick.errors import InvalidDefinition

from .channel import Channel

CHANNELS_MAX: Final = 1_000
KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_TEXT_LENGTH_MAX: Final = 256
_ADDRESS_LENGTH_MAX: Final = 4_096
_SEALED_BYTES_MAX: Final = 32_768


def checked_channel(channel: Channel) -> Channel:
    """Return the channel, or raise `InvalidDefinition` naming the field at fault."""
    check_key("key", channel.key)
    if channel.name is not None and not (1 <= len(channel.name) <= _TEXT_LENGTH_MAX and is_plain_text(channel.name)):
        raise InvalidDefinition("name", f"must have 1 to {_TEXT_LENGTH_MAX} characters, and no control characters")
    if len(channel.address) > _ADDRESS_LENGTH_MAX or len(channel.sealed) > _SEALED_BYTES_MAX:
        raise InvalidDefinition("url", f"has more than {_ADDRESS_LENGTH_MAX} characters")
    return channel


def check_key(field: str, key: str) -> None:
    """Raise `InvalidDefinition` unless the text can be the key of a channel or a signal."""
    # Dots alone are left out: clients and proxies take them for folders in a path.
    if not KEY.fullmatch(key) or not key.strip("."):
        raise InvalidDefinition(
            field, f"{key[:64]!a} is no key: 1 to 128 of the characters A-Z a-z 0-9 _ . -, and not dots alone"
        )


def is_plain_text(text: str) -> bool:
    """Whether the text is Unicode that can be written (no half of a surrogate pair), on one line."""
    return not any(character < " " or "\ud800" <= character <= "\udfff" or character == "\x7f" for character in text)
