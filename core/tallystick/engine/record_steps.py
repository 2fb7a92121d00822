"""Taking steps: which of those proposed follow from the states, what messages they make, and one commit for all of it.

Runs on the writer's thread, so nothing changes between the look at the states and the commit: that is why a crossing fires once, though the
evaluator may look twice, crash between two looks, or look at a signal that somebody is changing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tallystick.entropy import Entropy
from tallystick.failpoints import hit
from tallystick.instant import Instant
from tallystick.log.records import SignalsRecord
from tallystick.signals.delivery import DeliveryName, NewDelivery
from tallystick.signals.plan_deliveries import Joinable, joined, joined_if_many, planned_deliveries
from tallystick.signals.step import (
    EVERYBODY,
    Mark,
    RecordedStep,
    SignalState,
    Step,
    StepKind,
    Subject,
    state_after,
    tells,
)

from .change import signals_change
from .ledger import Ledger
from .signal_book import step_id

_TOKEN_BYTES: Final = 8
_BY_HAND: Final = (StepKind.SNOOZED, StepKind.WOKEN)


def record_steps(
    ledger: Ledger, proposed: Sequence[Step], *, mark: Mark | None, entropy: Entropy
) -> list[RecordedStep]:
    """Write the steps that follow, their messages and the mark; return the steps. Raises `StoreFull`, `StoreFailed`."""
    taken = _that_follow(ledger, proposed)
    if not taken and mark is None:
        return []
    now = ledger.clock.now()
    loud = [step for step in taken if tells(step) and step.signal in ledger.folds.catalog.signals]
    planned = planned_deliveries(
        [step for step, is_quiet in zip(loud, _snoozed(ledger, loud, now), strict=True) if not is_quiet],
        ledger.folds.catalog.signals,
        known_channels=ledger.folds.catalog.channels,
        now=now,
    )
    reserved: list[DeliveryName] = []
    try:
        deliveries: list[NewDelivery] = []
        for channel in dict.fromkeys(each.channel for each in planned):
            fresh = [each for each in planned if each.channel == channel]
            joinable = _joinable(ledger, channel, reserved)
            deliveries += joined_if_many(fresh, joinable, now=now)
        hit("signals.before_commit")
        record = SignalsRecord(steps=taken, deliveries=deliveries, mark=mark, token=new_token(entropy))
        position = ledger.log.head.position + 1
        ledger.commit([signals_change(ledger.folds, record)])
        hit("signals.committed")
    finally:
        ledger.folds.outbox_book.release(reserved)
    return [RecordedStep(step_id(position, place), step) for place, step in enumerate(taken)]


def join_due_digests(ledger: Ledger, channel: str, *, entropy: Entropy) -> None:
    """Make one message of what was held for a digest whose time has come."""
    now = ledger.clock.now()
    reserved: list[DeliveryName] = []
    try:
        due = _joinable(ledger, channel, reserved, due_until=now)
        if due:
            delivery = joined(due, [], now=now, is_due=True)
            record = SignalsRecord(deliveries=[delivery], token=new_token(entropy))
            ledger.commit([signals_change(ledger.folds, record)])
            hit("signals.digest_committed")
    finally:
        ledger.folds.outbox_book.release(reserved)


def new_token(entropy: Entropy) -> str:
    """Return the random part of the ids that a record gives out."""
    return entropy.token_bytes(_TOKEN_BYTES).hex()


def _that_follow(ledger: Ledger, proposed: Sequence[Step]) -> list[Step]:
    signals = ledger.folds.catalog.signals
    pairs = [(step.signal, step.subject) for step in proposed]
    states: dict[tuple[str, Subject], SignalState | None] = dict(
        zip(pairs, ledger.folds.signal_book.states_of(pairs), strict=True)
    )
    taken: list[Step] = []
    for pair, step in zip(pairs, proposed, strict=True):
        signal = signals.get(step.signal)
        if signal is None or (
            step.kind not in _BY_HAND and not (signal.enabled and signal.version == step.signal_version)
        ):
            continue
        after = state_after(states[pair], step)
        if after is not None:
            states[pair] = after
            taken.append(step)
    return taken


def _snoozed(ledger: Ledger, steps: Sequence[Step], now: Instant) -> list[bool]:
    """Return of each step whether its messages are held back, for its subject or for everybody."""
    own = ledger.folds.signal_book.states_of([(step.signal, step.subject) for step in steps])
    whole = ledger.folds.signal_book.states_of([(step.signal, EVERYBODY) for step in steps])
    return [any(state is not None and state.is_snoozed(now) for state in both) for both in zip(own, whole, strict=True)]


def _joinable(
    ledger: Ledger, channel: str, reserved: list[DeliveryName], *, due_until: Instant | None = None
) -> list[Joinable]:
    book = ledger.folds.outbox_book
    waiting = book.reserve_joinable(channel, due_until=due_until)
    reserved += [each.name for each in waiting]
    contents = {delivery.name: delivery for delivery in book.read([each.name for each in waiting])}
    return [
        Joinable(each, contents[each.name].step, contents[each.name].summary)
        for each in waiting
        if each.name in contents
    ]
