"""A PostgreSQL 15 of its own in a temporary folder, durable as it comes: `fsync` and `synchronous_commit` on.

Memory and log sizes are raised to what an operator of a small machine would set; nothing that weakens a commit is touched.
PostgreSQL refuses to run as root, so that root hands the folder to the user `postgres` (or `nobody`) and starts it as that one.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

BINARIES = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "max_connections": "100",
}


class PostgresqlMissing(Exception):
    """PostgreSQL 15 is not installed where Debian puts it."""

    def __init__(self) -> None:
        super().__init__(f"no PostgreSQL 15 in {BINARIES}: apt-get install postgresql-15")


def _user() -> str:
    if os.geteuid() != 0:
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_user(user: str, *command: str) -> None:
    prefix = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def postgresql(folder: Path, *, settings: Mapping[str, str] | None = None) -> Generator[str]:
    """Run a fresh cluster in `folder` and yield its address for asyncpg; the folder is removed afterwards."""
    if not (BINARIES / "initdb").exists():
        raise PostgresqlMissing
    user = _user()
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data = str(folder / "data")
    # By path: it is in no PATH. `trust` is enough behind a socket in a folder that only this user can enter.
    _as_user(user, str(BINARIES / "initdb"), "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C")
    options = " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, **(settings or {})}.items())
    options += f" -c listen_addresses='' -c unix_socket_directories={folder}"
    _as_user(user, str(BINARIES / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql://bench@/postgres?host={folder}"
    finally:
        _as_user(user, str(BINARIES / "pg_ctl"), "-D", data, "-m", "fast", "-w", "stop")
        shutil.rmtree(folder)
