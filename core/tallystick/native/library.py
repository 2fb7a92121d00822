"""The compiled library, or None where it was not compiled, does not load, or is switched off by `TALLYSTICK_NATIVE=0`.

Promises: a library made from other sources is never used; the number of its interface is compared. Nothing but `packed_events`, `decode`
and their like calls it, and each of its functions says which sizes it relies on.
Each function can be called in two ways. `long` lets other threads run meanwhile, and takes its turn again afterwards, which may cost
a millisecond while they are busy; `short` keeps the turn, for what takes less time than giving it away.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

import msgspec

FILE_NAME: Final = "libtallystick.so"
VARIABLE: Final = "TALLYSTICK_NATIVE"
INTERFACE: Final = 5

_Word: Final = ctypes.c_uint64
_Signed: Final = ctypes.c_int64
_Bytes: Final = ctypes.c_char_p
_Memory: Final = ctypes.c_void_p
# Result and arguments of each function.
_SIGNATURES: Final = {
    "scratch_size": (_Word, (_Word, _Word)),
    "read_body": (_Word, (_Bytes, _Word, ctypes.c_int32, _Word, _Signed, _Signed, _Memory)),
    "lay_out": (None, (_Memory, _Bytes)),
    "joined_size": (_Word, (_Bytes, _Word)),
    "join": (None, (_Bytes, _Word, _Bytes)),
    "taken_size": (_Word, (_Bytes, _Memory, _Word)),
    "take": (None, (_Bytes, _Memory, _Word, _Bytes)),
    "identity_hashes": (ctypes.c_int32, (_Bytes, _Word, _Memory)),
    "compare_rows": (None, (_Bytes, _Memory, _Bytes, _Memory, _Word, _Memory)),
    "probe_filters": (None, (_Memory, _Memory, _Memory, _Word, _Memory, _Word, _Memory, _Memory)),
    "fold_rows": (_Word, (_Memory,)),
    "merge_states": (_Word, (_Memory, _Memory, _Memory)),
    "add_states": (None, (_Memory, _Word, _Memory, _Memory)),
    "collect_states": (_Word, (_Memory, _Memory, _Word, _Word, _Memory)),
    "fold_parts": (ctypes.c_int32, (_Memory, _Word, _Bytes, _Word, _Memory, _Memory, _Word, _Memory, _Memory)),
    "same_rows": (_Word, (_Bytes, _Word, _Bytes, _Word, _Word)),
    "export_texts": (ctypes.c_int32, (_Memory, _Word, ctypes.c_int32, _Memory)),
    "export_values": (ctypes.c_int32, (_Memory, _Word, _Memory)),
    "distinct_texts": (_Signed, (_Memory, _Word, ctypes.c_int32, _Word, _Memory, _Memory, _Memory)),
    "open_shelves": (_Memory, (_Memory, _Word, _Memory, _Word, _Word)),
    "shelf_names": (_Word, (_Memory, _Memory)),
    "describe_shelves": (None, (_Memory, _Memory, _Memory, _Memory, _Memory)),
    "unshelved": (None, (_Memory, _Memory, _Memory)),
    "export_shelves": (_Word, (_Memory, _Memory, _Word, _Memory)),
    "close_shelves": (None, (_Memory,)),
}


class NativeLibrary:
    """The functions of the library, twice. `new_bytes` gives bytes that are to be filled before anybody sees them."""

    def __init__(self, path: Path) -> None:
        """Raise `OSError` or `AttributeError` if the file is no such library."""
        self.long = _declared(ctypes.CDLL(str(path)))
        self.short = _declared(ctypes.PyDLL(str(path)))
        # Not zeroed, and bytes rather than an array: they are passed on, sliced and joined without a copy or a conversion.
        make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)
        self.new_bytes = make(("PyBytes_FromStringAndSize", ctypes.pythonapi))
        find = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)
        self.address_of = find(("PyBytes_AsString", ctypes.pythonapi))
        # Tables in memory are seeded with what the interpreter seeds its own with, so that nobody can choose texts that collide.
        self.seed = hash("tallystick") & (1 << 64) - 1


class Loaded(msgspec.Struct, frozen=True):
    """The library, or why there is none."""

    library: NativeLibrary | None
    absence: str = ""


def _declared(functions: ctypes.CDLL) -> ctypes.CDLL:
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(functions, f"tallystick_{name}")
        function.restype, function.argtypes = result, arguments
        setattr(functions, name, function)
    return functions


def _load() -> Loaded:
    path = Path(__file__).with_name(FILE_NAME)
    if os.environ.get(VARIABLE) == "0":
        return Loaded(None, f"switched off by {VARIABLE}=0")
    if sys.byteorder != "little" or ctypes.sizeof(ctypes.c_void_p) != ctypes.sizeof(_Word):
        return Loaded(None, "this machine is not of 64 bits, little-endian")
    if not path.exists():
        return Loaded(None, "it was not compiled: Tallystick was installed where there is no C compiler")
    try:
        library = NativeLibrary(path)
    except (OSError, AttributeError) as error:
        return Loaded(None, f"{path} does not load: {error}")
    found = int(library.short.tallystick_interface())
    if found != INTERFACE:
        return Loaded(None, f"{path} was compiled from other sources: install Tallystick again")
    return Loaded(library)


LOADED: Final = _load()
NATIVE: Final = LOADED.library
