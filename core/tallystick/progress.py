"""How far long work has come."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """`done` and `total` count positions of the log; `step` names what is done."""

    step: str
    done: int
    total: int
