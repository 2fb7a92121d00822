"""The engine's answers about events one by one, mostly one customer's: lists, receipts, comparisons, statements and proofs.

Every method may be called from any thread. Each takes one view and answers of it alone, whatever is written meanwhile.
"""

from __future__ import annotations

import msgspec

from tallystick.event import EventState, Position, Receipt, Voiding
from tallystick.identity import Identity
from tallystick.log.records import VOIDED_BEFORE, decode_void
from tallystick.reconcile.claims import Claims
from tallystick.reconcile.question import ReconcileQuestion
from tallystick.reconcile.reconciliation import Reconciliation
from tallystick.statement.proof import ProvenEvent
from tallystick.statement.question import StatementQuestion
from tallystick.statement.statement import Statement
from tallystick.store import CustomerEventsPage, CustomerEventsQuestion, EventsPage, EventsQuestion

from .customer_events import CustomerEvents
from .customer_events_page import customer_events_page
from .events_page import events_page
from .identity_lookup import position_of
from .ledger import Ledger
from .reconcile import reconcile
from .reconcile_meters import MeterComparison
from .statements import make_statement, prove, statement_scope
from .view import View


class CustomerQuestions:
    """A part of the engine, which asks the same ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def events(self, question: EventsQuestion) -> EventsPage:
        """Return raw events, newest time first. Raises `InvalidQuestion` for a foreign cursor."""
        projections = self._ledger.folds.projections
        return events_page(projections.view, question, projections.columns_at)

    def receipt(self, identity: Identity) -> Receipt | None:
        """Return the proof that an event is in the log, None if it is not."""
        projections = self._ledger.folds.projections
        view = projections.view
        position = position_of(identity, projections)
        return None if position is None else self._receipt_at(view, position)

    def customer_events(self, question: CustomerEventsQuestion) -> CustomerEventsPage:
        """Return a customer's events in the order of the log. Raises `InvalidQuestion`."""
        view = self._ledger.folds.projections.view
        return customer_events_page(view, self._events(view), question)

    def reconcile(self, claims: Claims, question: ReconcileQuestion) -> Reconciliation:
        """Compare a list with the log. Raises `InvalidQuestion`, `NotFound` for a meter that is none."""
        view = self._ledger.folds.projections.view
        meters = MeterComparison(view, self._ledger.folds.catalog, clock=self._ledger.clock)
        return reconcile(view, self._events(view), meters, claims, question)

    def statement(self, question: StatementQuestion) -> Statement:
        """Return what a customer used, as the log had it. Raises `InvalidQuestion`, `NotFound` for a meter that is none."""
        view = self._ledger.folds.projections.view
        return make_statement(view, self._events(view), self._ledger.folds.catalog, question)

    def prove(self, question: StatementQuestion, identity: Identity) -> ProvenEvent:
        """Return the proof that an event is among those of a statement. Raises `InvalidQuestion`, `NotFound`, `NotCounted`."""
        view = self._ledger.folds.projections.view
        scope = statement_scope(view, question)
        proven = prove(view, self._events(view), scope, identity)
        return ProvenEvent(
            receipt=self._receipt_at(view, proven.position),
            start=scope.start,
            end=scope.end,
            as_of=scope.as_of,
            leaf_hash=proven.leaf_hash,
            path=proven.path,
            merkle_root=proven.merkle_root,
        )

    def _events(self, view: View) -> CustomerEvents:
        return CustomerEvents(view, self._ledger.log)

    def _receipt_at(self, view: View, position: int) -> Receipt:
        columns = self._ledger.folds.projections.columns_at(position)
        block = self._ledger.log.block_at(position)
        stored = columns.stored_event(position - columns.first_position, state=EventState.COUNTED)
        voided = self._voiding_of(view, position, Identity(stored.event.source, stored.event.id))
        return Receipt(
            stored=stored if voided is None else msgspec.structs.replace(stored, state=EventState.VOIDED),
            block=block.number,
            block_hash=block.hash,
            duplicates_seen=self._ledger.folds.duplicates.of(position),
            voided=voided,
        )

    def _voiding_of(self, view: View, position: int, identity: Identity) -> Voiding | None:
        since = view.voids.since_of(position)
        if since is None:
            return None
        block = self._ledger.log.block_at(since)
        reason = decode_void(block.payload).reason
        remembered = self._ledger.folds.void_index.remembered.get((identity.source, identity.id))
        if reason == VOIDED_BEFORE and remembered is not None:
            reason = decode_void(self._ledger.log.block_at(remembered).payload).reason
        return Voiding(position=Position(since), at=block.written_at, reason=reason)
