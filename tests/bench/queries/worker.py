"""A process that holds one store and does what it is told on its standard input: one JSON line a command, one a reply.

A process each, so that memory is the store's own and no engine takes another's threads. Started as
`python -m tests.bench.queries.worker SETUP`, a `Setup` in JSON.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from tests.bench.queries.asked import Asked, Store, fingerprint
from tests.bench.queries.month_of_events import later_events

# A store that needs seconds for an answer is not asked five times in a row.
ENOUGH_S = 1.0


@runtime_checkable
class Remembers(Protocol):
    """A store that keeps more than its tables from one question to the next."""

    def forget(self) -> None:
        """Drop it."""
        ...

    def settle(self) -> None:
        """Return once nothing is under way in the background."""
        ...


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """Which store, and where its files are. `dsn` is PostgreSQL's."""

    store: str
    folder: str
    parquet: str
    dsn: str = ""
    narrow: bool = False


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What to do.

    `ask` answers a question `times` times; `add` takes that many further events; `forget` drops what earlier questions left behind;
    `settle` waits until a store that works in the background is done.
    """

    verb: str
    asked: Asked | None = None
    times: int = 1
    events: int = 0
    seed: int = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; the fingerprint is of the last answer."""

    seconds: list[float] = []
    fingerprint: str = ""
    memory_bytes: int = 0


def opened(setup: Setup) -> Store:
    """Open the store, and load it if it was not."""
    folder, parquet = Path(setup.folder), Path(setup.parquet)
    if setup.store == "tallystick":
        from tests.bench.queries.tallystick_store import TallystickStore  # noqa: PLC0415 - one engine a process

        return TallystickStore(folder / "tallystick")
    from tests.bench.queries import sql_stores  # noqa: PLC0415 - as above

    if setup.store == "duckdb":
        return sql_stores.DuckdbStore(folder, parquet, narrow=setup.narrow)
    if setup.store == "clickhouse":
        return sql_stores.ClickhouseStore(folder, parquet, narrow=setup.narrow)
    return sql_stores.PostgresqlStore(setup.dsn, parquet, narrow=setup.narrow)


def obey(store: Store, command: Command) -> Reply:
    """Do as told."""
    seconds: list[float] = []
    found = ""
    if command.verb == "add":
        store.add(later_events(command.events))
    elif command.verb == "forget" and isinstance(store, Remembers):
        store.forget()
    elif command.verb == "settle" and isinstance(store, Remembers):
        store.settle()
    elif command.asked is not None:
        answer: object = None
        for _ in range(command.times):
            if sum(seconds) > ENOUGH_S:
                break
            started = time.perf_counter()
            answer = store.ask(command.asked)
            seconds.append(time.perf_counter() - started)
        found = fingerprint(store.rows(command.asked, answer))
    return Reply(seconds=seconds, fingerprint=found, memory_bytes=store.memory_bytes())


def main() -> None:
    """Serve until the input ends."""
    store = opened(msgspec.json.decode(sys.argv[1], type=Setup))
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            reply = obey(store, msgspec.json.decode(line, type=Command))
            sys.stdout.write(msgspec.json.encode(reply).decode() + "\n")
            sys.stdout.flush()
    finally:
        store.close()


if __name__ == "__main__":
    main()
