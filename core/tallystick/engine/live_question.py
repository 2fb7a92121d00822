"""A live question: one whose figure is asked again and again, of a meter through a filter, told apart by groups.

`QuestionReader` reads it off events, one at a time or as columns, by the rules of `usage.counted_events`: the type, the filters, and every
operand there.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event_columns import EventColumns, property_texts
from tallystick.meter import Meter
from tallystick.usage.aggregators import bind_aggregator
from tallystick.usage.event_frames import CUSTOMER, VALUE
from tallystick.usage.event_selection import select_events
from tallystick.usage.operand import Operand, OperandKind, property_names

from .running_state import OperandValue, RunningState, running_state_of, units_in

Group = tuple[str | None, ...]

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


class ReadRow(msgspec.Struct, frozen=True):
    """What a question reads of one event."""

    group: Group
    operands: Sequence[OperandValue]
    time: int


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

    def read(self, columns: EventColumns, row: int, *, start: int, end: int) -> ReadRow | None:
        """Return what is read of an event with its time in `[start, end)`; None where it does not count."""
        time = int(columns.times[row])
        if not start <= time < end or columns.types[row] != self._event_type:
            return None
        customer = columns.customers[row]
        if not self.may_concern(customer):
            return None
        texts = property_texts(columns.properties[row]) if self.property_names else {}
        if any(texts.get(name) not in wanted for name, wanted in self._texts):
            return None
        operands: list[OperandValue] = []
        for operand in self.aggregator.operands:
            found = _operand(operand, columns, row, customer, texts)
            if found is None:
                return None
            operands.append(found)
        group = tuple(customer if name == CUSTOMER else texts.get(name) for name in self.asked.group_by)
        return ReadRow(group, operands, time)


def _operand(
    operand: Operand, columns: EventColumns, row: int, customer: str, texts: dict[str, str]
) -> OperandValue | None:
    """Return an operand as `Operand.expression` makes it; numbers, the value always, as units."""
    if operand.field == VALUE:
        return units_in(Decimal(columns.values[row]))
    if operand.field == CUSTOMER:
        return customer
    text = texts.get(operand.property_name or "")
    if text is None or operand.kind is OperandKind.TEXT:
        return text
    try:
        return units_in(Decimal(canonical_amount(text)))
    except (InvalidAmount, AmountOutOfRange):
        return None
