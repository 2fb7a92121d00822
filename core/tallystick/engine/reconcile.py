"""Comparing a customer's own list with the log, item by item and the other way round.

Promises: exact, as the log stood at one position, which is named: what is accepted or voided meanwhile changes nothing. Each readable
item is found by its identity wherever it stands, also under another customer or at another time; what the index names is compared in the
log.
A pair is in question if either side lies in the scope: an event that one side has in another month is a difference, not two gaps.
Bounded: at most `claims.CLAIMS_MAX` items, and for the other way round `SCOPE_EVENTS_MAX` events of the customer; past that the events
are listed page by page (`CustomerEvents`) and the lists compared by whoever asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Final

import msgspec

from tallystick.amount import EXACT
from tallystick.dedupe import identity_hashes
from tallystick.errors import InvalidQuestion
from tallystick.event import EventState, Position, StoredEvent
from tallystick.event_columns import EventColumns
from tallystick.event_lists import are_most, with_lists
from tallystick.identity import Identity
from tallystick.reconcile.claims import Claims
from tallystick.reconcile.compare import differences, outside
from tallystick.reconcile.question import Direction, ReconcileQuestion
from tallystick.reconcile.reconciliation import (
    ClaimedEvent,
    Difference,
    MatchedEvent,
    Reconciliation,
    RepeatedEvent,
    Side,
)

from .customer_events import CustomerEvents, CustomerScope, checked_scope
from .reconcile_meters import MeterComparison
from .view import View

SCOPE_EVENTS_MAX: Final = 50_000


class _Twin(msgspec.Struct, frozen=True):
    """The event of the log that a claim is about."""

    position: int
    differences: list[Difference]
    is_voided: bool
    is_in_scope: bool


def reconcile(
    view: View, events: CustomerEvents, meters: MeterComparison, claims: Claims, question: ReconcileQuestion
) -> Reconciliation:
    """Return what both sides have. Raises `InvalidQuestion`, and `NotFound` for a meter that is none."""
    as_of = view.head.position if question.as_of is None else question.as_of
    scope = CustomerScope(
        customer=question.customer, start=question.start, end=question.end, as_of=as_of, source=question.source
    )
    comparison = _Comparison(view, events, claims, checked_scope(view, scope))
    if question.direction is Direction.BOTH:
        comparison.scan()
    comparison.look_up()
    return comparison.result(meters, question)


class _Comparison:
    """One comparison; `scan` before `look_up`, so that what the scan has met is not looked up."""

    def __init__(self, view: View, events: CustomerEvents, claims: Claims, scope: CustomerScope) -> None:
        self._view, self._events, self._claims, self._scope = view, events, claims, scope
        self._voided = view.voids.as_of(scope.as_of)
        self._rows, self._repeated = _first_rows(claims)
        self._twins: dict[int, _Twin] = {}
        self._only_appliance: list[StoredEvent] = []
        self._appliance: Side | None = None

    def scan(self) -> None:
        """Take every event of the scope that counts, and sort out those that the list lacks."""
        if self._events.count_up_to(self._scope, SCOPE_EVENTS_MAX) > SCOPE_EVENTS_MAX:
            raise InvalidQuestion(
                "direction",
                f"the customer has more than {SCOPE_EVENTS_MAX:,} events in this range: narrow it, or ask with direction=yours "
                "and list the events page by page, as `tallystick reconcile` does",
            )
        count, value = 0, Decimal(0)
        with localcontext(EXACT):
            for found in self._events.scan(self._scope):
                columns = with_lists(found.columns) if are_most(len(found.rows), found.columns) else found.columns
                for row, is_voided in zip(found.rows, found.are_voided, strict=True):
                    claimed = self._rows.get((columns.sources[row], columns.ids[row]))
                    if claimed is not None:
                        self._twins[claimed] = self._twin(claimed, columns, row, is_voided=is_voided)
                    if is_voided:
                        continue
                    count += 1
                    value += Decimal(columns.values[row])
                    if claimed is None:
                        self._only_appliance.append(columns.stored_event(row, state=EventState.COUNTED))
        self._appliance = Side(count, value)

    def look_up(self) -> None:
        """Find the event of each claim that is not found yet, wherever it stands; block by block, so that none is read twice."""
        candidates = sorted(self._candidates())
        positions = [position for position, _ in candidates]
        at = 0
        while at < len(candidates):
            columns = self._events.columns_at(positions[at])
            end = bisect_left(positions, columns.end_position, at)
            if are_most(end - at, columns):
                columns = with_lists(columns)
            for position, claimed in candidates[at:end]:
                row = position - columns.first_position
                claims = self._claims.events
                if columns.ids[row] == claims.ids[claimed] and columns.sources[row] == claims.sources[claimed]:
                    self._twins[claimed] = self._twin(claimed, columns, row, is_voided=self._is_voided(position))
            at = end

    def result(self, meters: MeterComparison, question: ReconcileQuestion) -> Reconciliation:
        """Return the verdict on every claim."""
        only_yours: list[ClaimedEvent] = []
        differs: list[MatchedEvent] = []
        voided: list[MatchedEvent] = []
        same_count = outside_count = 0
        in_scope = [row for row in self._rows.values() if self._is_in_scope(row)]
        claimed_here = set(in_scope)
        for (source, event_id), row in self._rows.items():
            twin = self._twins.get(row)
            index, identity = self._claims.indexes[row], Identity(source, event_id)
            if twin is None:
                if row in claimed_here:
                    only_yours.append(ClaimedEvent(index, identity))
                else:
                    outside_count += 1
            elif row not in claimed_here and (twin.is_voided or not twin.is_in_scope):
                outside_count += 1
            elif twin.is_voided:
                voided.append(MatchedEvent(index, identity, Position(twin.position), twin.differences))
            elif twin.differences:
                differs.append(MatchedEvent(index, identity, Position(twin.position), twin.differences))
            else:
                same_count += 1
        return Reconciliation(
            place=self._events.place_of(self._scope.as_of),
            yours=self._side(in_scope),
            appliance=self._appliance,
            same_count=same_count,
            outside_count=outside_count,
            only_yours=only_yours,
            only_appliance=self._only_appliance,
            differs=differs,
            voided=voided,
            repeated=self._repeated,
            unreadable=self._claims.unreadable,
            meters=meters.compare(self._claims, in_scope, question, as_of=self._scope.as_of),
        )

    def _candidates(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of a position and a claim that the index holds for possible; the newest of a claim is compared last, and stays."""
        rows = [row for row in self._rows.values() if row not in self._twins]
        claims = self._claims.events
        hashes = identity_hashes(
            [claims.sources[row] for row in rows], [claims.ids[row] for row in rows], seed=self._view.hash_seed
        )
        keys: list[int] = hashes.tolist()
        for row, key in zip(rows, keys, strict=True):
            for position in self._view.index.find_one(key):
                if position <= self._scope.as_of:
                    yield position, row

    def _twin(self, claimed: int, columns: EventColumns, row: int, *, is_voided: bool) -> _Twin:
        scope = self._scope
        found = differences(self._claims, claimed, columns, row)
        if not self._claims.events.times_given[claimed]:
            found += outside(columns, row, start=scope.start, end=scope.end)
        is_in_scope = (
            columns.customers[row] == scope.customer
            and scope.start <= int(columns.times[row]) < scope.end
            and scope.source in {None, columns.sources[row]}
        )
        return _Twin(columns.first_position + row, found, is_voided, is_in_scope)

    def _is_in_scope(self, row: int) -> bool:
        claims, scope = self._claims.events, self._scope
        return (
            claims.customers[row] == scope.customer
            and (not claims.times_given[row] or scope.start <= int(claims.times[row]) < scope.end)
            and scope.source in {None, claims.sources[row]}
        )

    def _is_voided(self, position: int) -> bool:
        place = int(self._voided.searchsorted(position))
        return place < len(self._voided) and int(self._voided[place]) == position

    def _side(self, rows: list[int]) -> Side:
        if any("value" not in self._claims.given[row] for row in rows):
            return Side(len(rows), None)
        with localcontext(EXACT):
            return Side(len(rows), sum((Decimal(self._claims.events.values[row]) for row in rows), Decimal(0)))


def _first_rows(claims: Claims) -> tuple[dict[tuple[str, str], int], list[RepeatedEvent]]:
    """Return the row of each identity, and the claims whose identity came before."""
    events = claims.events
    rows: dict[tuple[str, str], int] = {}
    repeated: list[RepeatedEvent] = []
    for row, (source, event_id) in enumerate(zip(events.sources, events.ids, strict=True)):
        first = rows.setdefault((source, event_id), row)
        if first != row:
            repeated.append(
                RepeatedEvent(
                    index=claims.indexes[row],
                    first_index=claims.indexes[first],
                    identity=Identity(source, event_id),
                    has_same_content=claims.says_the_same(row, first),
                )
            )
    return rows, repeated
