"""The outgoing child as the appliance sees it: started when it is first needed, started again when it has ended, asked many things at once.

Promises: a question is answered within its time or raises `NoAnswer`; a child that answers nothing is ended. Nothing of the appliance's
settings or keys is in its environment, and no proxy.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import msgspec

from tallystick.errors import TallystickError
from tallystick_server import logs

from .child_protocol import LINE_BYTES_MAX, CheckUrl, Hello, Question, RenderTemplate, Reply, SendMessage, decode_reply
from .networks import Networks

_LOG = logs.logger("outgoing")
_KEPT = tuple(
    "PATH PYTHONPATH PYTHONHOME HOME LANG LC_ALL TZ SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE LD_LIBRARY_PATH".split()  # noqa: SIM905
)
_START_TIMEOUT_S = 20.0
_END_TIMEOUT_S = 2.0


class NoAnswer(TallystickError):
    """The child ended, or was ended, before it answered."""


class ChildProcess:
    """One child. For the event loop's thread."""

    def __init__(self, command: Sequence[str], networks: Networks, *, memory_bytes_max: int) -> None:
        self._command = list(command)
        self._hello = Hello(list(networks.texts), memory_bytes_max)
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._awaited: dict[int, asyncio.Future[Reply]] = {}
        self._ids = count(1)
        self._is_closed = False

    async def check_url(self, url: str) -> Reply:
        """Ask whether Apprise takes a URL."""
        return await self._ask(lambda number: CheckUrl(number, url), timeout_s=_START_TIMEOUT_S)

    async def send(self, make: Callable[[int], SendMessage], *, timeout_s: float) -> Reply:
        """Have a message sent."""
        return await self._ask(make, timeout_s=timeout_s)

    async def render(self, template: str, names: Mapping[str, object], *, timeout_s: float) -> Reply:
        """Have a template filled in; one that takes longer ends the child."""
        await self._started()
        try:
            return await self._ask(lambda number: RenderTemplate(number, template, dict(names)), timeout_s=timeout_s)
        except NoAnswer:
            await self._end()
            raise

    async def close(self) -> None:
        """End the child, and start no other."""
        self._is_closed = True
        await self._end()

    async def _ask(self, make: Callable[[int], Question], *, timeout_s: float) -> Reply:
        process = await self._started()
        number = next(self._ids)
        line = msgspec.json.encode(make(number)) + b"\n"
        if len(line) > LINE_BYTES_MAX:
            raise NoAnswer("the message is too long")
        answer = asyncio.get_running_loop().create_future()
        self._awaited[number] = answer
        try:
            async with asyncio.timeout(timeout_s):
                if process.stdin is not None:
                    process.stdin.write(line)
                    await process.stdin.drain()
                return await answer
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {timeout_s:g} s") from error
        except (ConnectionError, BrokenPipeError) as error:
            raise NoAnswer("the process that sends messages ended") from error
        finally:
            self._awaited.pop(number, None)

    async def _started(self) -> Process:
        async with self._starting:
            if self._is_closed:
                raise NoAnswer("the appliance is shutting down")
            if self._process is None or self._process.returncode is not None:
                environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
                try:
                    process = await asyncio.create_subprocess_exec(
                        *self._command,
                        stdin=PIPE,
                        stdout=PIPE,
                        stderr=DEVNULL,
                        limit=LINE_BYTES_MAX,
                        env=environment | {"MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"},
                        start_new_session=True,
                    )
                except OSError as error:
                    raise NoAnswer(f"the process that sends messages cannot be started: {error.strerror}") from error
                if process.stdin is not None:
                    process.stdin.write(msgspec.json.encode(self._hello) + b"\n")
                self._process = process
                self._reading = asyncio.create_task(self._read(process))
            return self._process

    async def _read(self, process: Process) -> None:
        stdout = process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                reply = decode_reply(line)
                answer = self._awaited.pop(reply.id, None)
                if answer is not None and not answer.done():
                    answer.set_result(reply)
        except (ValueError, msgspec.MsgspecError) as error:
            _LOG.error("the outgoing child answered nonsense", error=str(error))
            _kill(process)
        code = await process.wait()
        if not self._is_closed:
            _LOG.warning("the outgoing child ended", exit_code=code)
        for answer in list(self._awaited.values()):
            if not answer.done():
                answer.set_exception(NoAnswer("the process that sends messages ended"))

    async def _end(self) -> None:
        process, reading = self._process, self._reading
        self._process = self._reading = None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if not self._is_closed:
            _kill(process)
        try:
            async with asyncio.timeout(_END_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            _kill(process)
            await process.wait()
        if reading is not None:
            await reading


def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
