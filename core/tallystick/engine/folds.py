"""Everything that is folded from the log, opened together."""

from __future__ import annotations

import struct

import msgspec

from tallystick.catalog.catalog import Catalog
from tallystick.data_directory import DataDirectory
from tallystick.engine_settings import EngineSettings
from tallystick.errors import DamagedStore
from tallystick.log.event_log import EventLog
from tallystick.log.tables import COUNTED, Tables

from .block_cache import BlockCache
from .duplicate_counts import DuplicateCounts
from .outbox_book import OutboxBook
from .projections import Projections
from .quarantine import Quarantine
from .signal_book import SignalBook
from .void_index import VoidIndex


class Folds:
    """The projections of one log: those kept in its tables, and those kept in files and memory."""

    def __init__(self, directory: DataDirectory, tables: Tables, log: EventLog, settings: EngineSettings) -> None:
        self._tables = tables
        self.cache = BlockCache(log, bytes_max=settings.block_cache_bytes)
        self.catalog = Catalog(tables)
        self.void_index = VoidIndex(tables)
        self.duplicates = DuplicateCounts(tables)
        self.quarantine = Quarantine(tables, entries_max=settings.quarantine_entries_max)
        self.signal_book = SignalBook(tables)
        self.outbox_book = OutboxBook(tables)
        self.projections = Projections(directory, log, self.cache)

    def reload(self) -> None:
        """Read the tables, and forget what was in memory only. Raises `DamagedStore` for a row that cannot be read."""
        self.cache.clear()
        self.duplicates.reset()
        try:
            for table in COUNTED:
                self._tables.check_rows(table)
            self.catalog.reload()
            self.void_index.reload()
            self.outbox_book.reload()
        except (msgspec.MsgspecError, struct.error, ValueError) as error:
            raise DamagedStore(
                0, f"a table that follows the log cannot be read ({error}): run `tallystick rebuild`"
            ) from error

    def publish(self) -> None:
        """Let questions see everything up to the head of the log."""
        self.projections.publish(self.void_index.voids)
