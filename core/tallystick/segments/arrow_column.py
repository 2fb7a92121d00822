"""A column that the compiled library made, on its way into Polars without an object a row.

By the Arrow PyCapsule interface: the library fills two structures, Polars takes them over, and frees what they own when it is done.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

# The structures' sizes and the place of `release` in them, by the Arrow C data interface.
_WORD_BYTES: Final = 8
_SCHEMA_WORDS: Final = 9
_ARRAY_WORDS: Final = 10
_ARRAY_RELEASE: Final = 8
COLUMN_WORDS: Final = _SCHEMA_WORDS + _ARRAY_WORDS

_new_capsule: Final = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
_Release: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# Capsules keep a pointer to their name.
_SCHEMA_NAME: Final = ctypes.create_string_buffer(b"arrow_schema")
_ARRAY_NAME: Final = ctypes.create_string_buffer(b"arrow_array")


class ArrowColumns:
    """Room for columns that the library hands over, one after the other; what nobody took over is freed with it."""

    def __init__(self, count: int) -> None:
        self._words = (ctypes.c_uint64 * (COLUMN_WORDS * count))()
        self._count = count
        self.address = ctypes.addressof(self._words)

    def __getitem__(self, place: int) -> ArrowColumn:
        return ArrowColumn(self, self.address + place * COLUMN_WORDS * _WORD_BYTES)

    def __del__(self) -> None:
        for place in range(self._count):
            release = self._words[place * COLUMN_WORDS + _SCHEMA_WORDS + _ARRAY_RELEASE]
            if release:
                _Release(release)(self.address + (place * COLUMN_WORDS + _SCHEMA_WORDS) * _WORD_BYTES)


class ArrowColumn:
    """One of them, as Polars asks for it."""

    def __init__(self, columns: ArrowColumns, address: int) -> None:
        self._columns, self._address = columns, address

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:  # Any: capsules have no type
        """Return the capsules of the interface."""
        del requested_schema
        return (
            _new_capsule(self._address, ctypes.addressof(_SCHEMA_NAME), None),
            _new_capsule(self._address + _SCHEMA_WORDS * _WORD_BYTES, ctypes.addressof(_ARRAY_NAME), None),
        )
