"""Which events a question is about: the meter's filter and the question's, both to be passed.

AND between names, OR within the texts of a name. Texts compare as `event.property_text` writes them: a number property matches its
canonical decimal alone (`1`, never `1.0`), a text property exactly its text, `true` and `false` their names. An event without the
property passes no filter on it. The name `customer` means the event's customer, here as in `group_by`; a property of that name cannot be
asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from .event_frames import CUSTOMER, PROPERTY_PREFIX


class EventSelection(msgspec.Struct, frozen=True):
    """What the filters together ask for: `customers` is None for all of them; `properties` are pairs of a name and its texts."""

    customers: tuple[str, ...] | None
    properties: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def is_empty(self) -> bool:
        """Return whether no event at all can pass."""
        return self.customers == ()

    @property
    def property_names(self) -> set[str]:
        """Return the properties it looks at."""
        return {name for name, _ in self.properties}

    def narrow(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """Keep the events whose properties pass; customers are narrowed by the frames themselves."""
        for name, texts in self.properties:
            events = events.filter(
                pl.col(f"{PROPERTY_PREFIX}{name}").is_in(pl.Series(texts, dtype=pl.String).implode())
            )
        return events


def select_events(filters: Sequence[Mapping[str, tuple[str, ...]]]) -> EventSelection:
    """Return the selection that passes every one of the filters."""
    customers: set[str] | None = None
    properties: list[tuple[str, tuple[str, ...]]] = []
    for asked in filters:
        for name, texts in asked.items():
            if name == CUSTOMER:
                customers = set(texts) if customers is None else customers & set(texts)
            else:
                properties.append((name, texts))
    return EventSelection(None if customers is None else tuple(sorted(customers)), tuple(properties))
