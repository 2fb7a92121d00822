"""Making statements: a fold of one customer's events as they stood at a position of the log.

Promises: everything in a statement follows from the log up to its position, so that it comes out byte for byte the same whatever was
written later, and however files are cut, merged or made again.
Memory: one stretch of positions and one block of events, whatever the range holds. What it costs is in `docs/statements.md`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.catalog.catalog import Catalog
from tallystick.errors import InvalidQuestion, NotCounted, NotFound
from tallystick.event import Position
from tallystick.identity import Identity
from tallystick.instant import Instant, format_instant
from tallystick.meter import Meter, MeterVersion
from tallystick.statement.leaf import leaf_hashes
from tallystick.statement.merkle import AuditPath, MerkleTree
from tallystick.statement.question import StatementQuestion
from tallystick.statement.state_meter import state_meter
from tallystick.statement.statement import FORMAT, Statement

from .customer_events import CustomerEvents, CustomerScope, checked_scope
from .identity_lookup import position_as_of
from .view import View

METERS_MAX: Final = 200
# Leaves are added to the tree in such pieces, so that events that lie far apart are not added one by one.
_LEAVES_A_PIECE: Final = 4_096


class ProvenLeaf(msgspec.Struct, frozen=True):
    """An event's leaf, and its way to the root of a statement."""

    position: Position
    leaf_hash: bytes
    path: AuditPath
    merkle_root: bytes


def make_statement(view: View, events: CustomerEvents, catalog: Catalog, question: StatementQuestion) -> Statement:
    """Return the statement. Raises `InvalidQuestion`, `NotFound` for a meter that is none."""
    scope = statement_scope(view, question)
    place = events.place_of(scope.as_of)
    meters = [
        state_meter(
            view,
            version.meter,
            question,
            in_force_from=version.position,
            as_of=scope.as_of,
            written_at=place.written_at,
        )
        for version in _versions(catalog, question, scope.as_of)
    ]
    tree = _tree(events, scope, watched_index=None)
    return Statement(
        format=FORMAT,
        customer=question.customer,
        start=format_instant(question.start),
        end=format_instant(question.end),
        timezone=question.timezone,
        window=question.window.value,
        as_of=place.position,
        block=place.block,
        block_hash=place.block_hash.hex(),
        written_at=format_instant(place.written_at),
        events=tree.size,
        merkle_root=tree.root().hex(),
        meters=tuple(meters),
    )


def prove(view: View, events: CustomerEvents, scope: CustomerScope, identity: Identity) -> ProvenLeaf:
    """Return where the event stands among those of the statement.

    Raises `NotFound` for an event that is not in the log, `NotCounted` for one that the statement does not count.
    """
    # Where a window lets an identity count anew, the statement's is the last one before its end.
    position = position_as_of(identity, view, events.columns_at, scope.as_of)
    if position is None:
        position = position_as_of(identity, view, events.columns_at, view.head.position)
    if position is None:
        raise NotFound("event", identity.id)
    _check_counted(view, events, scope, identity, position)
    columns = events.columns_at(position)
    (leaf,) = leaf_hashes(columns, [position - columns.first_position], [position])
    tree = _tree(events, scope, watched_index=events.count_before(scope, position))
    return ProvenLeaf(Position(position), leaf, tree.path(), tree.root())


def statement_scope(view: View, question: StatementQuestion) -> CustomerScope:
    """Return whose events the statement counts. Raises `InvalidQuestion`."""
    as_of = view.head.position if question.as_of is None else question.as_of
    scope = CustomerScope(customer=question.customer, start=question.start, end=question.end, as_of=as_of)
    return checked_scope(view, scope)


def _tree(events: CustomerEvents, scope: CustomerScope, *, watched_index: int | None) -> MerkleTree:
    tree = MerkleTree(watched_index=watched_index)
    leaves: list[bytes] = []
    for found in events.scan(scope):
        rows = found.counted_rows
        first = found.columns.first_position
        leaves += leaf_hashes(found.columns, rows, [first + row for row in rows])
        if len(leaves) >= _LEAVES_A_PIECE:
            tree.add(leaves)
            leaves = []
    tree.add(leaves)
    return tree


def _versions(catalog: Catalog, question: StatementQuestion, as_of: Position) -> list[MeterVersion]:
    """Return the meters of the statement by key, each as it was at the position."""
    versions = catalog.meter_versions
    if question.meters:
        if len(set(question.meters)) < len(question.meters):
            raise InvalidQuestion("meter", "each meter may be given once")
        named = [catalog.meters.get(key) or _missing(key) for key in sorted(question.meters)]
        found = [versions.as_of(meter, as_of) for meter in named]
    else:
        found = [versions.as_of(meter, as_of) for meter in catalog.meters.values()]
        found = [each for each in found if each.position <= as_of and each.meter.archived_at is None]
    if len(found) > METERS_MAX:
        raise InvalidQuestion("meter", f"a statement has at most {METERS_MAX} meters, not {len(found)}: name those")
    return found


def _missing(key: str) -> Meter:
    raise NotFound("meter", key)


def _check_counted(view: View, events: CustomerEvents, scope: CustomerScope, identity: Identity, position: int) -> None:
    columns = events.columns_at(position)
    row = position - columns.first_position
    time = int(columns.times[row])
    why: str | None = None
    if position > scope.as_of:
        why = f"it came after position {scope.as_of}"
    elif columns.customers[row] != scope.customer:
        why = "it is another customer's"
    elif not scope.start <= time < scope.end:
        why = f"its time, {format_instant(Instant(time))}, is outside of the range"
    elif position in view.voids.as_of(scope.as_of):
        why = "it was voided"
    if why is not None:
        raise NotCounted(identity.id, position=position, why=why)
