"""Python's collector of cycles, kept from walking through what stays for as long as the dashboard runs.

A full collection looks at every object there is: 85 to 140 ms for the modules, styles and screens of the dashboard, several times a minute
under use, and no key is answered meanwhile. What stays is set aside here, and a collection takes 4 to 15 ms. `make bench-dashboard` times
keys.
"""

from __future__ import annotations

import gc


def hold() -> None:
    """Collect nothing while the program loads, when nearly everything that is made stays."""
    gc.disable()


def settle() -> None:
    """Never look again at what there is now, and collect from now on what comes after it.

    Called once for each section that is opened: what is dead in a cycle at these nine moments stays too, some hundred KiB at most.
    """
    gc.freeze()
    gc.enable()
