"""States in memory, up to a number of bytes; those used longest ago go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class StatesCache(Generic[T]):
    """Values by key, each with its size. Safe from any thread."""

    def __init__(self, *, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._values: OrderedDict[bytes, tuple[T, int]] = OrderedDict()
        self.size_bytes = 0

    def get(self, key: bytes) -> T | None:
        """Return a value and note that it was used."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: bytes, value: T, *, size_bytes: int) -> None:
        """Keep a value in place of the one before; not at all if it alone would be too large."""
        with self._lock:
            self.size_bytes -= self._values.pop(key, (None, 0))[1]
            if size_bytes > self._bytes_max:
                return
            self._values[key] = (value, size_bytes)
            self.size_bytes += size_bytes
            while self.size_bytes > self._bytes_max:
                self.size_bytes -= self._values.popitem(last=False)[1][1]

    def drop(self, key: bytes) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self.size_bytes -= self._values.pop(key, (None, 0))[1]

    def items(self) -> list[tuple[bytes, T]]:
        """Return everything that is kept, without using it."""
        with self._lock:
            return [(key, value) for key, (value, _) in self._values.items()]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self.size_bytes = 0
