"""The outgoing child: reads questions from stdin until it ends, answers each on stdout, many at a time.

Started as `tallystick outgoing-child`; not for people. It ends with its parent, since its stdin then does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

import msgspec

from .bounded_answers import bound_answers
from .child_protocol import (
    LINE_BYTES_MAX,
    CheckUrl,
    Hello,
    RenderTemplate,
    Reply,
    SendMessage,
    decode_question,
)
from .confinement import confine
from .networks import Networks
from .template_rendering import BadTemplate, render

_TIMEOUT_S: Final = 10.0
_THREADS: Final = 128


class Child:
    """Answers questions."""

    def __init__(self, hello: Hello) -> None:
        from .apprise_service import AppriseService  # noqa: PLC0415 - before the doors close

        self._networks = Networks(hello.allowed_networks)
        self._apprise = AppriseService(threads=_THREADS, timeout_s=_TIMEOUT_S)
        bound_answers(seconds=_TIMEOUT_S)
        # The encodings that are looked up late, and certificates, are Python's own files, which stay open to it.
        confine(self._networks, memory_bytes_max=hello.memory_bytes_max)

    async def answer(self, question: CheckUrl | SendMessage | RenderTemplate) -> Reply:
        """Return the answer, whatever happens."""
        from .apprise_service import BadUrl  # noqa: PLC0415 - loaded by now

        try:
            match question:
                case CheckUrl():
                    await self._apprise.check_hosts(question.url, self._networks)
                    return Reply(question.id, is_good=True, text=self._apprise.checked(question.url))
                case SendMessage():
                    said = await self._apprise.send(question)
                    return Reply(question.id, is_good=said is None, text=said or "")
                case RenderTemplate():
                    return Reply(question.id, is_good=True, text=render(question.template, question.names))
        except (BadUrl, BadTemplate) as error:
            return Reply(question.id, is_good=False, text=str(error))
        except Exception as error:  # noqa: BLE001 - a plugin's mistake is an answer too
            return Reply(question.id, is_good=False, text=f"the service's plugin failed: {type(error).__name__}")


async def run() -> None:
    """Answer until stdin ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    hello = decode_question(await reader.readline())
    if not isinstance(hello, Hello):
        raise SystemExit(2)
    # What a plugin prints must not be taken for an answer.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    child = Child(hello)
    under_way: set[asyncio.Task[None]] = set()

    async def tell(question: CheckUrl | SendMessage | RenderTemplate) -> None:
        reply = await child.answer(question)
        os.write(answers, msgspec.json.encode(reply) + b"\n")

    while line := await reader.readline():
        question = decode_question(line)
        if not isinstance(question, Hello):
            task = asyncio.create_task(tell(question))
            under_way.add(task)
            task.add_done_callback(under_way.discard)


def main() -> None:
    """Run until the parent is gone, then end at once, whatever is under way."""
    asyncio.run(run())
    os._exit(0)
