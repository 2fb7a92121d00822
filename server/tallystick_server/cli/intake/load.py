"""Loading files: several batches in flight at once, in bounded memory, with the sums of all that became of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Final

import msgspec

from tallystick_server.cli.client import ApplianceClient
from tallystick_server.cli.failure import BadUse
from tallystick_server.cli.patience import RealPauses

from .batch import Batch, batches
from .csv_records import csv_records
from .delivery import Delivery, Outcome, RejectedRecord
from .field_map import FieldMap
from .input_file import STDIN, InputFile
from .jsonl_records import jsonl_records
from .record import MadeUpIds, Record

IN_FLIGHT_DEFAULT: Final = 4


class LoadPlan(msgspec.Struct, frozen=True):
    """How files are loaded, whatever is in them."""

    fields: FieldMap
    id_seed: str | None = None
    delimiter: str | None = None
    events_max: int = 5_000
    in_flight: int = IN_FLIGHT_DEFAULT
    give_up_after_s: float = 300.0


class FileRejection(msgspec.Struct, frozen=True):
    """A rejected record and the file that it stands in."""

    file: str
    rejected: RejectedRecord


class Sums(msgspec.Struct):
    """What became of all records so far."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0

    @property
    def records(self) -> int:
        """How many records were answered for."""
        return self.accepted + self.duplicates + self.rejected


class Load:
    """One import: feeds files to an appliance and adds up the answers."""

    def __init__(
        self,
        client: ApplianceClient,
        plan: LoadPlan,
        *,
        on_progress: Callable[[Sums, float], None],
        on_rejected: Callable[[FileRejection], None],
        on_wait: Callable[[str], None],
    ) -> None:
        self.sums = Sums()
        self._plan = plan
        self._pauses = RealPauses()
        self._delivery = Delivery(client, self._pauses, give_up_after_s=plan.give_up_after_s, on_wait=on_wait)
        self._on_progress, self._on_rejected = on_progress, on_rejected

    def load(self, file: InputFile) -> None:
        """Load one file to its end. Raises `Failure`; what was acknowledged before stays counted."""
        pool = ThreadPoolExecutor(self._plan.in_flight, thread_name_prefix="import")
        flying: dict[Future[Outcome], Batch] = {}
        try:
            with records_of(file, self._plan) as records:
                for batch in batches(self._sendable(file, records), events_max=self._plan.events_max):
                    if len(flying) >= self._plan.in_flight:
                        self._land(file, flying, wait(flying, return_when=FIRST_COMPLETED).done)
                    flying[pool.submit(self._delivery.deliver, batch)] = batch
            while flying:
                self._land(file, flying, wait(flying, return_when=FIRST_COMPLETED).done)
        except BaseException:
            self._pauses.call_off()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _land(self, file: InputFile, flying: dict[Future[Outcome], Batch], done: set[Future[Outcome]]) -> None:
        for future in done:
            batch = flying.pop(future)
            outcome = future.result()
            self.sums.accepted += outcome.accepted
            self.sums.duplicates += outcome.duplicates
            self.sums.conflicts += outcome.conflicts
            for rejected in outcome.rejected:
                self._reject(file, rejected)
            self._on_progress(self.sums, batch.consumed)

    def _reject(self, file: InputFile, rejected: RejectedRecord) -> None:
        self.sums.rejected += 1
        self._on_rejected(FileRejection(file.name, rejected))

    def _sendable(self, file: InputFile, records: Iterator[Record]) -> Iterator[tuple[Record, int]]:
        for number, record in enumerate(records, 1):
            if record.fault is not None:
                self._reject(file, RejectedRecord(record, record.fault.code, record.fault.detail))
            else:
                yield record, number if file.format == "parquet" else file.consumed()


@contextmanager
def records_of(file: InputFile, plan: LoadPlan) -> Generator[Iterator[Record]]:
    """Open a file and give its records, one after the other."""
    ids = MadeUpIds(plan.id_seed)
    if file.format == "parquet":
        from .parquet_records import parquet_records  # Polars: 0.4 s that the other formats do not need

        if file.path == STDIN:
            raise BadUse("a Parquet file cannot be read from a pipe; name the file")
        yield parquet_records(file.path, plan.fields, ids)
        return
    with file.stream() as stream:
        if file.format == "csv":
            yield csv_records(stream, plan.fields, ids, file=file.name, delimiter=plan.delimiter)
        else:
            yield jsonl_records(stream, plan.fields, ids)
