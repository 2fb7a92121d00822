"""Figures as columns, before an answer is made of them: nothing is ranked, ordered, filled or cut yet.

`rows` has the group columns, `WINDOW` (Int32), the count of `EVENTS`, and the figure as `HIGH` and `LOW`; `totals` has the same without a
window. Where a period is laid beside the one before, both have `PREVIOUS_HIGH` and `PREVIOUS_LOW` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
import polars as pl

from tallystick.amount import EXACT, SCALE

from .figure import LIMB
from .windows import Windows

# The one group of a question without `group_by`: a key like any other, so that nothing has two cases.
EVERYTHING: Final = "everything"
PREVIOUS_HIGH: Final = "previous high"
PREVIOUS_LOW: Final = "previous low"


class FigureTable(msgspec.Struct, frozen=True, eq=False):
    """The figures of one question; `columns` are the names of the group columns, `nothing` is the figure of no events at all.

    Windows from `begun` on have not begun, and no figure, not even that; None: there are none such. `previous_begun` says so of those
    of the period before.
    """

    windows: Windows
    columns: Sequence[str]
    rows: pl.DataFrame
    totals: pl.DataFrame
    nothing: Decimal | None
    begun: int | None = None
    previous_begun: int | None = None

    @property
    def is_compared(self) -> bool:
        """Return whether the figures of the period before are beside."""
        return PREVIOUS_HIGH in self.totals.columns


def parts_of_nothing(nothing: Decimal | None) -> tuple[int | None, int | None]:
    """Return `HIGH` and `LOW` of the figure of no events."""
    return (None, None) if nothing is None else divmod(int(nothing.scaleb(SCALE, EXACT)), LIMB)
