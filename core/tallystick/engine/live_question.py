"""A live question: one whose figure is asked again and again, of a meter through a filter, told apart by groups.

`QuestionReader` reads it off events, one at a time or as columns, by the rules of `usage.counted_events`: the type, the filters, and every
operand there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event_columns import EventColumns, property_texts
from tallystick.meter import Meter
from tallystick.usage.aggregators import bind_aggregator
from tallystick.usage.event_frames import CUSTOMER, VALUE
from tallystick.usage.event_selection import select_events
from tallystick.usage.operand import Operand, OperandKind, property_names

from .running_state import OperandValue, RunningState, running_state_of, units_in_text

Group = tuple[str | None, ...]

_NO_TEXTS: Final[Mapping[str, str]] = {}
_encode: Final = msgspec.msgpack.Encoder(order="sorted").encode


class LiveQuestion(msgspec.Struct, frozen=True):
    """One version of a meter, the question's own filter, and the properties that groups are told apart by.

    `timezone` is the calendar that the asked spans are cut by: states that were cut by the same one are merged, and not events.
    """

    meter: Meter
    filter: dict[str, tuple[str, ...]] = {}
    group_by: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def key(self) -> bytes:
        """Return what equal questions have in common, and no others."""
        return _encode(self)


# What a question reads of one event: its group, its operands, and its time. A tuple, since one is made for every event.
ReadRow = tuple[Group, Sequence[OperandValue], int]


class StateKey(msgspec.Struct, frozen=True, array_like=True):
    """Whose state, or figure: `LiveQuestion.key`, the edges of the span, and the customer (None: all together)."""

    question: bytes
    start: int
    end: int
    customer: str | None


class QuestionReader:
    """A live question, ready to read events. Raises as `bind_aggregator` does."""

    def __init__(self, asked: LiveQuestion) -> None:
        self.asked = asked
        self.aggregator = bind_aggregator(asked.meter)
        self._new_state = running_state_of(self.aggregator)
        self.columns = [operand.column for operand in self.aggregator.operands]
        selection = select_events([asked.meter.filter, asked.filter])
        self._event_type = asked.meter.event_type
        self.customers = None if selection.customers is None else frozenset(selection.customers)
        self._texts = [(name, frozenset(texts)) for name, texts in selection.properties]
        grouped = {name for name in asked.group_by if name != CUSTOMER}
        self.property_names = sorted(grouped | selection.property_names | property_names(self.aggregator.operands))

    @property
    def is_running(self) -> bool:
        """Return whether states of the aggregation run."""
        return self._new_state is not None

    def new_state(self) -> RunningState:
        """Return the state of no events. Raises `ValueError` where states do not run."""
        if self._new_state is None:
            raise ValueError(f"a state of {self.asked.meter.aggregation} does not run")
        return self._new_state()

    def may_concern(self, customer: str) -> bool:
        """Return whether the filters let any event of the customer through."""
        return self.customers is None or customer in self.customers

    def read(self, columns: EventColumns, row: int, key: StateKey) -> ReadRow | None:
        """Return what is read of an event that is the key's customer's; None where it does not count for the key."""
        time = int(columns.times[row])
        if not key.start <= time < key.end or columns.types[row] != self._event_type:
            return None
        customer = columns.customers[row] if key.customer is None else key.customer
        if self.customers is not None and customer not in self.customers:
            return None
        if not self.property_names:
            texts = _NO_TEXTS
        else:
            texts = property_texts(columns.properties[row])
            for name, wanted in self._texts:
                if texts.get(name) not in wanted:
                    return None
        operands: list[OperandValue] = []
        for operand in self.aggregator.operands:
            found = _operand(operand, columns, row, customer, texts)
            if found is None:
                return None
            operands.append(found)
        return self._group(customer, texts), operands, time

    def _group(self, customer: str, texts: Mapping[str, str]) -> Group:
        names = self.asked.group_by
        return tuple(customer if name == CUSTOMER else texts.get(name) for name in names) if names else ()


def _operand(
    operand: Operand, columns: EventColumns, row: int, customer: str, texts: Mapping[str, str]
) -> OperandValue | None:
    """Return an operand as `Operand.expression` makes it; numbers, the value always, as units."""
    if operand.field == VALUE:
        return units_in_text(columns.values[row])
    if operand.field == CUSTOMER:
        return customer
    text = texts.get(operand.property_name or "")
    if text is None or operand.kind is OperandKind.TEXT:
        return text
    try:
        return units_in_text(canonical_amount(text))
    except (InvalidAmount, AmountOutOfRange):
        return None
