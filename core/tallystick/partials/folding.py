"""What is folded: everything that the state of a group depends on, but for the events.

Two questions with the same folding can be answered from the same states: of another range of time, of other customers, in another
order, cut into days or into months. What a meter is called, its unit and its version are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash

from tallystick.instant import Instant
from tallystick.meter import Meter
from tallystick.usage.aggregators import Aggregator, bind_aggregator, state_format
from tallystick.usage.event_frames import CUSTOMER
from tallystick.usage.event_selection import EventSelection, select_events
from tallystick.usage.question import UsageQuestion, WindowSize

# Raised when the same folding of the same events gives other states: by a new release, that is.
STATES_VERSION: Final = 1
# One byte of a name is no more than a name may have; this many names make a wide table, and no question has more.
_encode: Final = msgspec.msgpack.Encoder(order="sorted").encode


class Folding(msgspec.Struct, frozen=True):
    """A meter's definition without its name, a filter on properties, the names that groups are told apart by, and how time is cut.

    `by` is sorted, but that `customer` comes first: the states of one customer are neighbours then. `cut` is `DAY` or `HOUR`.
    """

    meter: Meter
    properties: tuple[tuple[str, tuple[str, ...]], ...]
    by: tuple[str, ...]
    cut: WindowSize
    timezone: str

    @property
    def by_columns(self) -> dict[str, str]:
        """Return the key columns of states, each with the name of what it holds."""
        return {f"by {place}": name for place, name in enumerate(self.by)}

    @property
    def aggregator(self) -> Aggregator:
        """Return the meter's aggregation."""
        return bind_aggregator(self.meter)

    @property
    def digest(self) -> bytes:
        """Return what equal foldings have in common, 16 bytes."""
        return xxhash.xxh3_128_digest(_encode([STATES_VERSION, state_format(self.meter), self]))

    def partial_digest(
        self, segment_checksum: bytes, edges: npt.NDArray[np.int64], voided: npt.NDArray[np.int64]
    ) -> bytes:
        """Return what names the states of one segment: its content, the instants by which it is cut, and which events do not count.

        The zone is left out: two zones that cut a segment at the same instants share its states, and a zone whose rules change
        does not find those of before.
        """
        parts = [
            STATES_VERSION,
            state_format(self.meter),  # states of a plugin that was replaced since are not found
            self.meter,
            self.properties,
            self.by,
            segment_checksum,
            edges.tobytes(),
            voided.tobytes(),
        ]
        return xxhash.xxh3_128_digest(_encode(parts))


def folding_of(meter: Meter, question: UsageQuestion) -> tuple[Folding, EventSelection]:
    """Return the folding whose states answer the question, and what the question selects among them.

    A customer that is asked for is a matter of looking up, not of folding: groups are told apart by customer then.
    """
    selection = select_events([meter.filter, question.filter])
    names = {*question.group_by} if selection.customers is None else {*question.group_by, CUSTOMER}
    by = tuple(sorted(names, key=lambda name: (name != CUSTOMER, name)))
    properties = tuple(sorted((name, tuple(sorted(set(texts)))) for name, texts in selection.properties))
    cut = WindowSize.HOUR if question.window is WindowSize.HOUR else WindowSize.DAY
    return Folding(_nameless(meter), properties, by, cut, question.timezone), selection


def _nameless(meter: Meter) -> Meter:
    return msgspec.structs.replace(
        meter,
        key="",
        name="",
        filter={},
        unit=None,
        dimensions=(),
        version=1,
        created_at=Instant(0),
        updated_at=Instant(0),
        archived_at=None,
    )


def group_names(question: UsageQuestion) -> Sequence[str]:
    """Return the names in the question's order."""
    return question.group_by
