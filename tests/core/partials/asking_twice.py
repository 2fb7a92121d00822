"""The same question asked of states and of the events themselves: both answers as bytes."""

from __future__ import annotations

import msgspec

from tallystick.engine import Engine
from tallystick.engine.view import View
from tallystick.meter import Meter
from tallystick.testing import ManualClock
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.question import UsageQuestion


def as_bytes(answer: UsageAnswer) -> bytes:
    rows = [[row.start, row.end, sorted(row.group.items(), key=str), str(row.value), row.events] for row in answer.rows]
    totals = [[sorted(total.group.items(), key=str), str(total.value), total.events] for total in answer.totals]
    return msgspec.json.encode([rows, totals])


def from_events(engine: Engine, meter: Meter, question: UsageQuestion) -> bytes:
    """Answer from the frames of the view: the way that knows no states."""
    return as_bytes(answer_usage(_FramesAlone(engine.states_view().view), meter, question, clock=ManualClock()))


def from_states(engine: Engine, meter: Meter, question: UsageQuestion) -> bytes:
    return as_bytes(engine.preview(meter, question))


class _FramesAlone:
    """A view that has no states."""

    def __init__(self, view: View) -> None:
        self.frames = view.frames
