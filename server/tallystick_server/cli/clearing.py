"""`--clear`: what a thing need not have, taken away; the same in every command that changes something.

An option of its own rather than an empty value: that would be no number, no choice of a list, and no `name=value`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cyclopts import Parameter

from .failure import BadUse

CLEAR: Final = Parameter(name="--clear", help="Take the value of this option away; repeatable.")

# Fields of the API that are called otherwise than the options that fill them.
_FIELDS: Final = {"channel": "channels", "customer": "scope", "dimension": "dimensions", "option": "options"}


def with_cleared(
    change: dict[str, Any], names: Sequence[str], *, called: Mapping[str, str] = _FIELDS
) -> dict[str, Any]:  # Any: JSON that the appliance checks
    """Return a change in which what is named is null, which takes it away. Raises `BadUse` where it is given a value too."""
    fields = {name: called.get(name, name.replace("-", "_")) for name in names}
    given = [name for name, field in fields.items() if field in change]
    if given:
        raise BadUse(f"--clear {given[0]} takes away what is given beside it; leave one of them out")
    return change | dict.fromkeys(fields.values())
