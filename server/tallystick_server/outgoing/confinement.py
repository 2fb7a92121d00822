"""What a process gives up for good: other programs, files that are not Python's own, addresses that are not allowed, more memory.

Promises: held by the interpreter's audit hooks (PEP 578), which nothing can take off again; what is refused raises `PermissionError`
where it is tried. A connection is judged by the address that the socket is told, after any name was resolved, redirects and rebinding
included.
Does not: stop machine code. Compiled extensions could do as they like; the plugins of Apprise are Python.
"""

from __future__ import annotations

import os
import resource
import sys
from contextvars import ContextVar
from typing import Any

from .networks import Networks, RefusedAddress

_PROGRAMS = frozenset(
    (
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "pty.spawn",
        "os.startfile",
    )
)
_CHANGES = frozenset(
    ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink", "shutil.rmtree")
)
_READABLE = (
    "/usr/share/zoneinfo/",
    "/etc/mime.types",
    "/etc/ssl/",
    "/etc/pki/",
    "/usr/lib/ssl/",
    "/usr/share/ca-certificates/",
    "/dev/null",
    "/dev/urandom",
)
# Why connections of the message under way were refused; a plugin would only say that there was none.
refusals: ContextVar[list[str] | None] = ContextVar("refusals", default=None)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def confine(networks: Networks, *, memory_bytes_max: int) -> None:
    """Give all of it up, from now on and for ever."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes_max, memory_bytes_max))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    readable = (*_own_folders(), *_own_archive(), *_READABLE)

    def hook(event: str, args: tuple[Any, ...]) -> None:  # Any: each event has its own arguments
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            _check_address(args[1], networks)
        elif event == "open":
            _check_file(args[0], args[2], readable)
        elif event in _PROGRAMS or event in _CHANGES:
            raise PermissionError(f"{event} is not for this process")

    sys.addaudithook(hook)


def _own_folders() -> list[str]:
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, getattr(sys, "_MEIPASS", sys.prefix), *sys.path}
    return [os.path.realpath(place) + os.sep for place in places if place]


def _own_archive() -> list[str]:
    """Return the file that modules are read from when they are first imported, where this is a single binary."""
    return [os.path.realpath(sys.executable)] if getattr(sys, "frozen", False) else []


def _check_address(address: object, networks: Networks) -> None:
    if not (isinstance(address, tuple) and address and isinstance(address[0], str)):
        raise PermissionError("only internet addresses are for this process")
    try:
        networks.check(address[0])
    except RefusedAddress as error:
        noted = refusals.get()
        if noted is not None:
            noted.append(str(error))
        raise PermissionError(str(error)) from error


def _check_file(path: object, flags: object, readable: tuple[str, ...]) -> None:
    if isinstance(path, int):
        return
    name = os.path.realpath(os.fsdecode(path) if isinstance(path, str | bytes) else "")
    # A certificate store is often a link from one of these folders into another, so the name as given counts as well.
    given = os.path.normpath(os.fsdecode(path)) if isinstance(path, str | bytes) else ""
    is_writing = isinstance(flags, int) and bool(flags & _WRITING) and name != os.devnull
    if is_writing or not (name.startswith(readable) or given.startswith(readable[-len(_READABLE) :])):
        raise PermissionError("this file is not for this process")
