"""The process: opens the store, serves HTTP, and ends in order.

Promises: the port answers at once, with 503 and the reason until the store is open; `tallystick is ready at URL` is one line on stdout,
written when writes are taken; the first admin key is written there once, if the operator chose none. SIGTERM drains: what was taken is
answered or refused, the store is closed, the exit code is 0. What cannot be served at all is one line on stderr and exit code 1.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tallystick.api_key import Scope
from tallystick.entropy import Entropy
from tallystick.errors import TallystickError
from tallystick.failpoints import arm_from_environment
from tallystick.instant import Clock
from tallystick.native.library import LOADED
from tallystick.store import Store

from . import logs
from .bounded_server import BoundedServer
from .garbage import look_among_new_objects_only, look_through_everything_hourly
from .present import SystemClock, SystemEntropy
from .settings import Settings

if TYPE_CHECKING:
    from .app import Appliance

_LOG = logs.logger("serve")
# A question holds one for each segment file that it reads, and several questions run at once.
_FILES_BESIDE_CONNECTIONS = 2_048


class CannotServe(TallystickError):
    """The appliance cannot start; the message is one line for the operator."""


def serve(settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None) -> int:
    """Run the appliance until a signal ends it, and return the exit code of the process. Without them, the system's clock and entropy."""
    # Polars reads this when it is imported, so nothing above imports it.
    os.environ.setdefault("POLARS_MAX_THREADS", str(settings.polars_threads))
    logs.configure_logs(settings.log_level, settings.log_format)
    _tune_interpreter()
    try:
        arm_from_environment()
        _raise_file_limit(settings.connections_max)
        listener = _listen(settings.host, settings.port)
        with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, listener, clock or SystemClock(), entropy or SystemEntropy()))
    except (TallystickError, ValueError) as error:
        sys.stderr.write(f"tallystick: {error}\n")
        return 1
    return 0


async def _run(settings: Settings, listener: socket.socket, clock: Clock, entropy: Entropy) -> None:
    from .app import Appliance  # noqa: PLC0415 - imports Polars, whose threads were set a moment ago
    from .plugins import see_plugins_folder  # noqa: PLC0415 - as above

    see_plugins_folder(settings.plugins_dir)
    appliance = Appliance(settings, clock=clock, entropy=entropy)
    server = BoundedServer(appliance.asgi, settings, short_way=appliance.short_way, begin_drain=appliance.access.drain)
    appliance.connection_count = lambda: server.connection_count
    url = _url(listener)
    _say(f"tallystick listens on {url}")
    sweeping = asyncio.create_task(server.sweep())
    collecting = asyncio.create_task(look_through_everything_hourly())
    opening = asyncio.create_task(
        _open(partial(_open_store, settings, clock, entropy), settings, appliance, server, url)
    )
    try:
        await server.serve(sockets=[listener])
    finally:
        sweeping.cancel()
        collecting.cancel()
        appliance.access.drain()
        store = await opening
        appliance.close()
        if store is not None:
            await asyncio.to_thread(store.close)
        _LOG.info("stopped")


async def _open(
    open_store: Callable[[], Store], settings: Settings, appliance: Appliance, server: BoundedServer, url: str
) -> Store | None:
    """Open the store beside the server. Raises what refuses it, after telling the server to end."""
    from .plugins import import_plugins  # noqa: PLC0415 - as above

    try:
        store = await asyncio.to_thread(open_store)
        await asyncio.to_thread(_first_admin_key, store, settings.admin_key)
    except BaseException:
        appliance.access.fail("the store cannot be opened; the log says why")
        server.should_exit = True
        raise
    appliance.access.open(store)
    import_plugins()
    if LOADED.library is None:
        _LOG.warning("events are read without the compiled library, which is slower", reason=LOADED.absence)
    _LOG.info("ready", url=url, position=store.health().head.position)
    _say(f"tallystick is ready at {url}")
    return store


def _open_store(settings: Settings, clock: Clock, entropy: Entropy) -> Store:
    from tallystick.engine import Engine  # noqa: PLC0415 - as above

    return Engine.open(Path(settings.data), clock=clock, entropy=entropy, settings=settings.engine)


def _first_admin_key(store: Store, chosen: str | None) -> None:
    """See to it that there is a key with which everything else can be set up."""
    if any(Scope.ADMIN in key.scopes for key in store.api_keys()):
        if chosen is not None and store.authenticate(chosen) is None:
            _LOG.warning("admin_key is no key of this data directory, which has others: it is not taken over")
        return
    if chosen is not None:
        store.adopt_api_key(chosen, name="first admin key", scopes=[Scope.ADMIN])
        return
    _, secret = store.create_api_key(name="first admin key", scopes=[Scope.ADMIN], expires_at=None)
    _say(f"first admin key (shown this once): {secret}")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2_048)
    except OSError as error:
        raise CannotServe(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    listener.setblocking(False)  # noqa: FBT003 - the socket module's signature
    return listener


def _url(listener: socket.socket) -> str:
    name = listener.getsockname()
    host, port = str(name[0]), int(name[1])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what a person can open
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _tune_interpreter() -> None:
    """Let threads take turns sooner, and look for garbage among new objects only.

    Whoever lets go of the interpreter's lock, for a call into numpy or a write to a socket, waits to have it back for as long as another
    thread wants it, 5 ms by default: with an event loop, a writer and a checkpoint at work that was most of the time of a request. A commit
    lets go about a dozen times. Turns this short cost no processor time that could be measured (`docs/performance.md`).
    """
    sys.setswitchinterval(0.0001)
    look_among_new_objects_only()


def _raise_file_limit(connections_max: int) -> None:
    """Take as many file descriptors as the connections need, within what the system allows."""
    wanted = connections_max + _FILES_BESIDE_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        raise CannotServe(
            f"connections_max is {connections_max}, and the system allows {most} open files: lower it, or raise the limit (ulimit -n)"
        )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
