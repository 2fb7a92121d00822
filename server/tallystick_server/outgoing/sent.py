"""What came of one try to send a message, whoever carried it."""

from __future__ import annotations

import msgspec

DETAIL_LENGTH_MAX = 1_000


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One try: `status` of an HTTP answer, `detail` what the receiver or the network said, `retry_after_s` what it asked for.

    `is_gone`: the receiver wants no more messages (410).
    """

    is_delivered: bool
    detail: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    is_gone: bool = False


def cut(text: str) -> str:
    """Return what is kept of an answer: on one line, printable, 1,000 characters at most."""
    plain = " ".join(text.split())
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in plain)[
        :DETAIL_LENGTH_MAX
    ]
