"""The running states that are kept: by question, span and customer, those asked for the longest ago first to go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from .live_question import Group, StateKey
from .running_state import RunningState

# Some 700 bytes each: 70 MB. Ten signals on ten thousand customers, or a limit on each of a hundred thousand.
STATES_MAX: Final = 100_000
# More groups or distinct values than this cost more to keep, and to look through, than the question costs.
STATE_SIZE_MAX: Final = 2_000


class GroupStates:
    """The running states of one customer's groups, as of a position."""

    __slots__ = ("groups", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.groups: dict[Group, RunningState] = {}

    @property
    def size(self) -> int:
        """How many groups and distinct values there are."""
        return sum(state.size for state in self.groups.values())


class KeptStates:
    """At most `STATES_MAX` of them. For one thread at a time."""

    def __init__(self) -> None:
        self._states: OrderedDict[StateKey, GroupStates] = OrderedDict()
        self._keys_of: dict[str | None, set[StateKey]] = {}

    def __len__(self) -> int:
        return len(self._states)

    def peek(self, key: StateKey) -> GroupStates | None:
        """Return a state, if it is here."""
        return self._states.get(key)

    def use(self, key: StateKey) -> GroupStates | None:
        """Return a state, if it is here, and note that it was asked for."""
        state = self._states.get(key)
        if state is not None:
            self._states.move_to_end(key)
        return state

    def keep(self, key: StateKey, state: GroupStates) -> None:
        """Keep a state that is not here yet, unless it is too large."""
        if state.size > STATE_SIZE_MAX or key in self._states:
            return
        self._states[key] = state
        self._keys_of.setdefault(key.customer, set()).add(key)
        while len(self._states) > STATES_MAX:
            self._drop(next(iter(self._states)))

    def check_size(self, key: StateKey, state: GroupStates) -> None:
        """Let a state go that has grown too large, if it is still here."""
        if state.size > STATE_SIZE_MAX:
            self.forget(key, state)

    def forget_customer(self, customer: str | None) -> None:
        """Let every state of a customer go."""
        for key in self._keys_of.pop(customer, ()):
            del self._states[key]

    def behind(self, customers: Iterable[str | None], position: int) -> Iterator[tuple[StateKey, GroupStates]]:
        """Yield the states of these customers (None: of all together) that are of before a position; none may change meanwhile."""
        for customer in customers:
            for key in self._keys_of.get(customer, ()):
                state = self._states[key]
                if state.position < position:
                    yield key, state

    def forget(self, key: StateKey, state: GroupStates) -> None:
        """Let a state go, if it is still here."""
        if self._states.get(key) is state:
            self._drop(key)

    def clear(self) -> None:
        """Let every state go."""
        self._states.clear()
        self._keys_of.clear()

    def _drop(self, key: StateKey) -> None:
        del self._states[key]
        keys = self._keys_of[key.customer]
        keys.discard(key)
        if not keys:
            del self._keys_of[key.customer]
