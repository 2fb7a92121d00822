"""What the appliance and its outgoing child say to each other: one JSON object a line, questions on stdin, answers on stdout.

The child is a process of its own because what it runs is not ours to trust: a hundred plugins that open their own connections, and
templates that people wrote. There it has no file, no program, no address that is not allowed, a bound on memory, and can be ended.
"""

from __future__ import annotations

import msgspec


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first line: what the child may do."""

    allowed_networks: list[str]
    memory_bytes_max: int


class CheckUrl(msgspec.Struct, frozen=True, tag="check"):
    """Whether this is a URL that Apprise understands, of a service that is allowed."""

    id: int
    url: str


class SendMessage(msgspec.Struct, frozen=True, kw_only=True, tag="send"):
    """Send this; the service's own format decides which body."""

    id: int
    url: str
    mood: str
    title: str
    text: str
    markdown: str
    html: str
    timeout_s: float


class RenderTemplate(msgspec.Struct, frozen=True, tag="render"):
    """Fill in this template."""

    id: int
    template: str
    names: dict[str, object]


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """How it went: `text` is what was asked for (a URL that may be shown, a rendered template), or why not."""

    id: int
    is_good: bool
    text: str


Question = Hello | CheckUrl | SendMessage | RenderTemplate
LINE_BYTES_MAX = 1024 * 1024
decode_question = msgspec.json.Decoder(Question).decode
decode_reply = msgspec.json.Decoder(Reply).decode
