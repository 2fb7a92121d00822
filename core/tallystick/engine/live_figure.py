"""What running figures are asked and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from tallystick.event import Position

from .live_question import Group


class LiveFigure(msgspec.Struct, frozen=True):
    """The figure of one group; without `group_by` the group is `()`. `value` is None where the aggregation has none."""

    group: Group
    value: Decimal | None
    events: int


class LiveAnswer(msgspec.Struct, frozen=True):
    """Figures as of a position: without `group_by` exactly one; otherwise one for each group that has events, in no order.

    `is_running`: they came from a running state. Otherwise the normal question answered, which takes as long as it does.
    """

    position: Position
    figures: Sequence[LiveFigure]
    is_running: bool


class LiveAnswers(msgspec.Struct, frozen=True):
    """The same of many customers, all as of one position."""

    position: Position
    figures: Mapping[str, Sequence[LiveFigure]]
    is_running: bool
