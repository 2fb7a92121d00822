"""Where in the log the event of an identity stands. Exact: what the index names is looked up in the log and compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tallystick.dedupe import identity_hashes
from tallystick.event_columns import EventColumns
from tallystick.identity import Identity

from .projections import Projections
from .view import View


def positions_of(identities: Sequence[Identity], projections: Projections) -> list[int | None]:
    """Return the newest position of each identity, None where there is none. On the write side only: it asks the index for all at once."""
    hashes = identity_hashes(
        [identity.source for identity in identities],
        [identity.id for identity in identities],
        seed=projections.manifest.hash_seed,
    )
    candidates = projections.index.candidates(hashes)
    found: list[int | None] = [None] * len(identities)
    rows: list[int] = candidates.rows.tolist()
    for row, position in zip(rows, candidates.positions.tolist(), strict=True):
        if _stands_at(identities[row], position, projections):
            found[row] = position
    return found


def position_of(identity: Identity, projections: Projections) -> int | None:
    """Return the newest position of one identity that the view knows, None if there is none; on any thread."""
    view = projections.view
    return position_as_of(identity, view, projections.columns_at, view.head.position)


def position_as_of(identity: Identity, view: View, columns_at: Callable[[int], EventColumns], as_of: int) -> int | None:
    """Return the newest position up to `as_of` of one identity, None if there is none; on any thread."""
    (key,) = identity_hashes([identity.source], [identity.id], seed=view.hash_seed).tolist()
    for position in reversed(view.index.find_one(key)):
        if position <= as_of and names_row(columns_at(position), position, identity):
            return position
    return None


def names_row(columns: EventColumns, position: int, identity: Identity) -> bool:
    """Whether the event at a position is the one of that identity; equal hashes alone do not tell."""
    row = position - columns.first_position
    return columns.ids[row] == identity.id and columns.sources[row] == identity.source


def _stands_at(identity: Identity, position: int, projections: Projections) -> bool:
    return names_row(projections.columns_at(position), position, identity)
