"""Usage as the appliance answers it, and several questions in one call."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from .appliance_client import ApplianceClient
from .failure import Refused

# What `POST /v1/usage` takes at once.
QUERIES_MAX: Final = 50
_PLACE: Final = re.compile(r"queries\[(\d+)\]")
Query = dict[str, Any]  # Any: a usage question as `POST /v1/usage` takes it


class UsageRow(msgspec.Struct, frozen=True):
    """One window of one group."""

    start: str
    end: str
    group: dict[str, str | None]
    value: Decimal | None
    events: int


class UsageTotal(msgspec.Struct, frozen=True):
    """One group over the whole range."""

    group: dict[str, str | None]
    value: Decimal | None
    events: int


class UsageAnswer(msgspec.Struct, frozen=True):
    """What a meter answers to one question."""

    meter: str
    rows: list[UsageRow]
    totals: list[UsageTotal]

    @property
    def largest(self) -> list[UsageTotal]:
        """The groups, the largest figure first; the appliance answers them by name."""
        return sorted(self.totals, key=lambda each: (each.value is None, -(each.value or 0)))

    @property
    def total(self) -> UsageTotal:
        """The figure of a question that does not group; where nothing was used, none."""
        return self.totals[0] if self.totals else UsageTotal({}, None, 0)


class UsageAnswers(msgspec.Struct, frozen=True):
    """Several, in the order of the questions."""

    answers: list[UsageAnswer]


async def ask_usages(
    client: ApplianceClient, queries: Sequence[Query]
) -> AsyncGenerator[tuple[int, UsageAnswer | Refused]]:
    """Yield the place of each question with its answer, as they come; one that is refused takes no other down.

    Raises `Unreachable`, and `Refused` where it is about no single question.
    """
    for first in range(0, len(queries), QUERIES_MAX):
        left = dict(enumerate(queries[first : first + QUERIES_MAX], first))
        while left:
            body = {"queries": list(left.values()), "include_archived": True}
            try:
                answers = (await client.tell("POST", "/v1/usage", body, answer=UsageAnswers)).answers
            except Refused as refusal:
                place = _place_of(refusal, list(left))
                if place is None:
                    raise
                del left[place]
                yield place, refusal
            else:
                for place, answer in zip(left, answers, strict=True):
                    yield place, answer
                break


def _place_of(refusal: Refused, places: list[int]) -> int | None:
    match = next((found for pointer in refusal.fields if (found := _PLACE.match(pointer))), None)
    if match is None or int(match[1]) >= len(places):
        return None
    return places[int(match[1])]
