"""Checking statements and proofs with nothing but the documents: no appliance is asked, no log is read.

A statement alone shows that it was not changed since it was made. The list of its events shows that root and figures follow from them; a
proof shows that one event is below the root. That the events are those of the log is shown by the log itself (`tallystick verify`), which
the block's hash ties the statement to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from tallystick.errors import InvalidDefinition, InvalidQuestion
from tallystick.event import EventState, Position
from tallystick.instant import InvalidInstant, parse_instant
from tallystick.segments.event_list import EventList
from tallystick.usage.question import WindowSize

from .leaf import leaf_hashes
from .listed_events import BATCH_EVENTS_MAX, ListedBatch, listed_batch
from .merkle import HASH_BYTES, MerkleTree, root_of_path
from .proof import Proof
from .question import StatementQuestion
from .state_meter import is_carried, state_meter
from .statement import InvalidStatement, StatedMeter, Statement


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: a sentence, and whether it holds."""

    what: str
    is_good: bool


def check_claims(statement: Statement) -> list[Check]:
    """Return what can be seen from a decoded statement alone, whose spelling and digest are right."""
    question = question_of(statement)
    keys = [meter.key for meter in statement.meters]
    hashes = (statement.block_hash, statement.merkle_root)
    return [
        Check(f"written canonically, and its digest is {statement.digest}", is_good=True),
        Check(f"the range {statement.start} to {statement.end} is one", is_good=question.start <= question.end),
        Check("it names each meter once, by key", is_good=keys == sorted(set(keys))),
        Check("block hash and root are SHA-256 hashes", is_good=all(_is_hash(each) for each in hashes)),
        Check(
            "no meter counts more events than the statement, but for levels and durations",
            is_good=all(meter.total.events <= statement.events for meter in statement.meters if not _is_carried(meter)),
        ),
    ]


def check_events(statement: Statement, lines: Iterable[bytes]) -> list[Check]:
    """Return whether root, count and figures follow from a list of events (see `listed_events`), in the order of their positions.

    Events before the range are used for levels and durations, which they move; voided ones and those past the position are left out.
    Raises `InvalidStatement` for a line that is no event. Memory: the events as one table.
    """
    question = question_of(statement)
    tree, frames = MerkleTree(), EventList()
    for listed in _batches(lines):
        rows = [row for row in range(len(listed.positions)) if _is_known(statement, listed, row)]
        frames.add(listed.events, rows, [listed.positions[row] for row in rows])
        times = listed.events.times
        inside = [row for row in rows if question.start <= int(times[row]) < question.end]
        tree.add(leaf_hashes(listed.events, inside, [listed.positions[row] for row in inside]))
    checks = [
        Check(
            f"the list holds {tree.size:,} events that count, the statement {statement.events:,}",
            is_good=tree.size == statement.events,
        ),
        Check(f"the root over them is {tree.root().hex()}", is_good=tree.root().hex() == statement.merkle_root),
    ]
    checks += [_check_meter(statement, question, meter, frames) for meter in statement.meters]
    return checks


def check_proof(statement: Statement, proof: Proof) -> list[Check]:
    """Return whether a proof's event is one of the statement's. Raises `InvalidStatement` for a receipt that holds no event."""
    listed = listed_batch([bytes(proof.receipt)])
    (position,) = listed.positions
    (leaf,) = leaf_hashes(listed.events, [0], [position])
    question = question_of(statement)
    named = proof.statement
    is_of_statement = (named.customer, named.start, named.end, named.as_of, named.events, named.merkle_root) == (
        statement.customer,
        statement.start,
        statement.end,
        statement.as_of,
        statement.events,
        statement.merkle_root,
    )
    return [
        Check("the proof names this statement", is_good=is_of_statement),
        Check(
            "the event is the customer's, in the range, and was in the log",
            is_good=listed.events.customers[0] == statement.customer
            and question.start <= int(listed.events.times[0]) < question.end
            and position <= statement.as_of,
        ),
        Check(f"its leaf is {leaf.hex()}", is_good=leaf.hex() == proof.leaf_hash),
        Check(
            f"the path of {len(proof.audit_path)} hashes leads from it to the statement's root",
            is_good=proof.statement.events == statement.events
            and root_of_path(leaf, proof.path()) == bytes.fromhex(statement.merkle_root),
        ),
    ]


def question_of(statement: Statement) -> StatementQuestion:
    """Return the question that a statement answers. Raises `InvalidStatement` where it names what is no time or no window."""
    try:
        parse_instant(statement.written_at)
        return StatementQuestion(
            customer=statement.customer,
            start=parse_instant(statement.start),
            end=parse_instant(statement.end),
            as_of=Position(statement.as_of),
            timezone=statement.timezone,
            window=WindowSize(statement.window),
        )
    except (InvalidInstant, ValueError) as error:
        raise InvalidStatement(str(error)) from error


def _check_meter(statement: Statement, question: StatementQuestion, meter: StatedMeter, frames: EventList) -> Check:
    what = f"{meter.key} (version {meter.version}) is {bytes(meter.total.value).decode()} from {meter.total.events:,} events"
    try:
        found = state_meter(
            frames,
            meter.definition.meter(meter.key, meter.version),
            question,
            in_force_from=Position(meter.position),
            as_of=Position(statement.as_of),
            written_at=parse_instant(statement.written_at),
        )
    except (InvalidDefinition, InvalidQuestion) as error:
        return Check(f"{what}: this program cannot make the figure again: {error}", is_good=False)
    if msgspec.json.encode(found) == msgspec.json.encode(meter):
        return Check(what, is_good=True)
    made = f"the list makes it {bytes(found.total.value).decode()} from {found.total.events:,}"
    if _is_carried(meter):
        made += f"; a {meter.definition.aggregation} also needs the events before the range in the list"
    return Check(f"{what}: {made}", is_good=False)


def _batches(lines: Iterable[bytes]) -> Iterator[ListedBatch]:
    """Yield the list as columns. Raises `InvalidStatement` where positions do not rise, so that no event is counted twice."""
    last, first_line = 0, 1
    remaining = iter(lines)
    while piece := list(islice(remaining, BATCH_EVENTS_MAX)):
        events = listed_batch(piece, first_line=first_line)
        for number, position in enumerate(events.positions, first_line):
            if position <= last:
                raise InvalidStatement(f"line {number} has the position {position} after {last}: positions must rise")
            last = position
        yield events
        first_line += len(piece)


def _is_known(statement: Statement, listed: ListedBatch, row: int) -> bool:
    """Whether an event counts for the customer at the statement's position, whatever its time."""
    return (
        listed.states[row] is EventState.COUNTED
        and listed.events.customers[row] == statement.customer
        and listed.positions[row] <= statement.as_of
    )


def _is_carried(meter: StatedMeter) -> bool:
    """Whether what came before the range moves the figure, though the root covers the events of the range alone."""
    try:
        return is_carried(meter.definition.meter(meter.key, meter.version))
    except InvalidDefinition:
        return False  # one that this program cannot make is told where its figure is made again


def _is_hash(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == HASH_BYTES
    except ValueError:
        return False
