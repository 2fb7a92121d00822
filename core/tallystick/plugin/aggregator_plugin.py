"""The interface of a plugin: a state, options, and three functions.

The rules, which `tallystick.testing.aggregator_check.check_aggregator` tries with generated events:
1. The figure depends on the set of events alone: not on how they are cut into batches, nor on which states are merged first.
2. `merge(left, right)` is associative, and may be given states in either order: an event that comes late lies before the events of a state
   that exists already. A state in which order matters keeps the times it needs.
3. A state survives being written and read: its fields are of types that msgspec encodes to MessagePack and back.
4. `read` answers an exact `Decimal`, or None where there is no figure.
A plugin runs in the appliance's process with the appliance's rights. What it raises is logged, and answered to whoever asked with its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec

from .batch import Batch
from .input import Input, number


class State(msgspec.Struct, frozen=True):
    """What is known of the events seen so far, in as few bytes as the figure needs: `class Mine(State, frozen=True)`.

    `version` grows whenever the fields, or what they mean, change: a state of another version is never merged, it is made again from the
    events.
    """

    version: ClassVar[int] = 1


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a meter may say in its `options`: `class Mine(Options, frozen=True)`.

    Annotate fields with `msgspec.Meta` for bounds and descriptions. A `Decimal` takes a JSON number, or a text that holds one and keeps
    all of its digits. What fields cannot say goes into `__post_init__`, which raises `ValueError` with a sentence.
    """


class NoOptions(Options, frozen=True):
    """The options of a plugin that has none."""


StateT = TypeVar("StateT", bound=State)
OptionsT = TypeVar("OptionsT", bound=Options)


class AggregatorPlugin(ABC, Generic[StateT, OptionsT]):
    """An aggregation of one's own: `class Mine(AggregatorPlugin[MyState, MyOptions])`.

    `summary` is a line for people. `nothing` is the figure of no events at all, for windows that are filled up.
    One is made for each question; it holds what the meter says and nothing else.
    """

    summary: ClassVar[str]
    nothing: ClassVar[Decimal | None] = None
    state_type: ClassVar[type[State]]
    options_type: ClassVar[type[Options]]

    def __init__(self, options: OptionsT, field: str) -> None:
        """Keep the meter's checked options, and its field: `value`, `customer` or `properties.NAME`."""
        self.options = options
        self.field = field

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: what further base classes take
        """Learn state and options from `AggregatorPlugin[MyState, MyOptions]`, so that they are written once."""
        super().__init_subclass__(**kwargs)
        for written in getattr(cls, "__orig_bases__", ()):
            if get_origin(written) is AggregatorPlugin:
                state_type, options_type = get_args(written)
                if isinstance(state_type, type) and isinstance(options_type, type):
                    cls.state_type, cls.options_type = state_type, options_type

    @property
    def inputs(self) -> Mapping[str, Input]:
        """Return what is read of an event, by the names that `fold` finds it under; the meter's field as a number by default.

        Events that lack one of them do not count, unless it says what stands in.
        """
        return {"amount": number(self.field)}

    @abstractmethod
    def fold(self, batch: Batch) -> StateT:
        """Return the state of some events of one group; there is at least one."""

    @abstractmethod
    def merge(self, left: StateT, right: StateT) -> StateT:
        """Return the state of the events of both."""

    @abstractmethod
    def read(self, state: StateT) -> Decimal | None:
        """Return the figure; rounded half-even to 12 decimals where it has more."""
