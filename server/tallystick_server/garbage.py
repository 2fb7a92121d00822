"""How the process looks for garbage: often among what is new, seldom among what stays.

What an appliance keeps (modules, columns of the live tail, caches) makes no cycles and is freed by counting references. Walking all
of it, as Python does by default, stopped every thread for 100 to 250 ms: the worst acknowledge times by far. So what has survived one
look is set aside (`gc.freeze`), and all of it is looked through once an hour only, for the cycles that died since.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

# Looking through so many new objects takes about a millisecond.
_NEW_OBJECTS: Final = 10_000
_NEVER: Final = 1_000_000
_WHOLE_LOOK_S: Final = 3_600


def look_among_new_objects_only() -> None:
    """Set the collector up, once for the process."""
    gc.set_threshold(_NEW_OBJECTS, _NEVER, _NEVER)
    gc.callbacks.append(_set_survivors_aside)


async def look_through_everything_hourly() -> None:
    """Collect what died in cycles after it was set aside. Runs until it is cancelled; holds everything up for a quarter of a second."""
    while True:
        await asyncio.sleep(_WHOLE_LOOK_S)
        gc.unfreeze()
        gc.collect()
        gc.freeze()


def _set_survivors_aside(phase: str, _facts: dict[str, int]) -> None:
    if phase == "stop":
        gc.freeze()
