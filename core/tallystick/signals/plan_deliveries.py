"""Which messages follow from steps: one each, or one for many.

Pure: it decides, `engine.record_steps` writes. Past `JOINED_FROM` messages that wait for a channel and were never tried, they become one
with the steps that stand out, so that 5,000 customers who cross at once make one message a channel, and a receiver that is down for a day
makes a queue of some dozens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from tallystick.amount import EXACT
from tallystick.instant import NS_PER_HOUR, NS_PER_S, Instant
from tallystick.usage.local_calendar import LocalCalendar

from .delivery import EVERY_LANE, LANES_MAX, DeliveryEvent, NewDelivery, SignalCount, Summary
from .signal import CUSTOMER_ZONE, Digest, Signal
from .step import Step, StepKind
from .waiting import Waiting

JOINED_FROM: Final = 20
TOP_STEPS: Final = 10
# A storm comes in several looks: its message waits so long for the next one, and in all no longer than the second figure.
STORM_PAUSE_NS: Final = 2 * NS_PER_S
STORM_PAUSE_MAX_NS: Final = 3 * NS_PER_S


class Joinable(msgspec.Struct, frozen=True):
    """A delivery that waits and was never tried, with what it tells."""

    waiting: Waiting
    step: Step | None
    summary: Summary | None


def planned_deliveries(
    steps: Sequence[Step], signals: Mapping[str, Signal], *, known_channels: Iterable[str], now: Instant
) -> list[NewDelivery]:
    """Return one delivery for each step that tells something and each channel of its signal that there is."""
    known = frozenset(known_channels)
    planned: list[NewDelivery] = []
    for step in steps:
        signal = signals[step.signal]
        event = DeliveryEvent.FIRED if step.kind is StepKind.FIRED else DeliveryEvent.RECOVERED
        due_at = digest_due_at(signal.digest, signal.timezone, now)
        planned += [
            NewDelivery(
                channel=channel,
                event=event,
                created_at=now,
                due_at=due_at,
                digest=signal.digest,
                signals=(signal.key,),
                step=step,
            )
            for channel in signal.channels
            if channel in known
        ]
    return planned


def joined_if_many(planned: Sequence[NewDelivery], joinable: Sequence[Joinable], *, now: Instant) -> list[NewDelivery]:
    """Return the deliveries to record of one channel: `planned`, or where they and those that wait are many, one for all.

    Those of a digest are joined apart from those that go at once, and by the time at which they are due.
    """
    recorded: list[NewDelivery] = []
    for digest, due_at in dict.fromkeys((each.digest, _held_until(each.digest, each.due_at)) for each in planned):
        fresh = [each for each in planned if (each.digest, _held_until(each.digest, each.due_at)) == (digest, due_at)]
        old = [
            each
            for each in joinable
            if (each.waiting.digest, _held_until(each.waiting.digest, each.waiting.due_at)) == (digest, due_at)
        ]
        if len(fresh) + len(old) > JOINED_FROM:
            recorded.append(joined(old, fresh, now=now, digest=digest))
        else:
            recorded += fresh
    return recorded


def joined(
    old: Sequence[Joinable],
    fresh: Sequence[NewDelivery],
    *,
    now: Instant,
    digest: Digest = Digest.NONE,
    is_due: bool = False,
) -> NewDelivery:
    """Return one delivery that tells of all the others; `is_due` ends a digest, otherwise it stays one of `digest`."""
    told: list[Step | Summary] = [
        content for each in (*old, *fresh) if (content := each.summary or each.step) is not None
    ]
    created_at = min([each.waiting.created_at for each in old] + [each.created_at for each in fresh])
    if is_due:
        due_at, digest, is_storm = now, Digest.NONE, False
    elif digest is Digest.NONE:
        due_at, is_storm = Instant(min(now + STORM_PAUSE_NS, created_at + STORM_PAUSE_MAX_NS)), True
    else:
        due_at, is_storm = [*(each.waiting.due_at for each in old), *(each.due_at for each in fresh)][0], False
    signals = tuple(
        sorted({key for each in old for key in each.waiting.signals} | {key for each in fresh for key in each.signals})
    )
    return NewDelivery(
        channel=fresh[0].channel if fresh else old[0].waiting.channel,
        event=DeliveryEvent.DIGEST,
        created_at=created_at,
        due_at=due_at,
        digest=digest,
        signals=signals if len(signals) <= LANES_MAX else (EVERY_LANE,),
        summary=summary_of(told, is_storm=is_storm),
        members=tuple(each.waiting.name for each in old),
    )


def summary_of(told: Iterable[Step | Summary], *, is_storm: bool) -> Summary:
    """Return what steps, and summaries of further steps, come to together."""
    counts: dict[str, list[int]] = {}
    steps: list[Step] = []
    firsts: list[Instant] = []
    lasts: list[Instant] = []
    fired = recovered = 0
    for each in told:
        part = each if isinstance(each, Summary) else _of_one(each)
        fired, recovered = fired + part.fired, recovered + part.recovered
        firsts.append(part.first_at)
        lasts.append(part.last_at)
        steps += part.top
        for count in part.by_signal:
            known = counts.setdefault(count.signal, [0, 0])
            known[0], known[1] = known[0] + count.fired, known[1] + count.recovered
    largest = sorted(counts.items(), key=lambda entry: (-sum(entry[1]), entry[0]))[:LANES_MAX]
    return Summary(
        is_storm=is_storm,
        fired=fired,
        recovered=recovered,
        first_at=min(firsts),
        last_at=max(lasts),
        by_signal=tuple(SignalCount(signal, ups, downs) for signal, (ups, downs) in largest),
        top=tuple(sorted(steps, key=_prominence, reverse=True)[:TOP_STEPS]),
    )


def digest_due_at(digest: Digest, timezone: str, now: Instant) -> Instant:
    """Return when a message of this digest goes: now, at the next full hour of UTC, or at the next midnight of the signal's zone."""
    match digest:
        case Digest.NONE:
            return now
        case Digest.HOURLY:
            return Instant((now // NS_PER_HOUR + 1) * NS_PER_HOUR)
        case Digest.DAILY:
            calendar = LocalCalendar("UTC" if timezone == CUSTOMER_ZONE else timezone)
            return calendar.day_start(calendar.local_date(now) + timedelta(days=1))


def _held_until(digest: Digest, due_at: Instant) -> Instant | None:
    return None if digest is Digest.NONE else due_at


def _of_one(step: Step) -> Summary:
    ups, downs = (1, 0) if step.kind is StepKind.FIRED else (0, 1)
    return Summary(
        is_storm=False,
        fired=ups,
        recovered=downs,
        first_at=step.at,
        last_at=step.at,
        by_signal=(SignalCount(step.signal, ups, downs),),
        top=(step,),
    )


def _prominence(step: Step) -> tuple[bool, Decimal, int]:
    """Order steps by what a reader wants to see first: fired, far past the threshold, or changed much; the newest at equal ones."""
    if step.change is not None:
        size = abs(step.change)
    elif step.figure is not None and step.threshold:
        size = EXACT.divide(step.figure, step.threshold)
    else:
        size = step.figure if step.figure is not None else Decimal(0)
    return step.kind is StepKind.FIRED, size, step.at
