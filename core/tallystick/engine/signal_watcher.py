"""The watcher: looks at what the log's new events concern, and proposes the steps that signals take for it.

Promises: after a look, every signal stands where the figures up to its position say; a look that was cut off is made again from the mark,
and the state machine takes nothing twice. A watch that is new (a signal, a version of its meter, a start) is looked at for everybody once;
from then on a look costs what was touched since the last one: the customers of new events, and those of voided ones.
Does not: decide what is taken (`record_steps`), nor when to look: whoever calls does, one look at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Final

from msgspec import structs

from tallystick.cancellation import Cancelled, check_cancelled
from tallystick.errors import TallystickError, Unavailable
from tallystick.event import Position
from tallystick.instant import NS_PER_S, Instant
from tallystick.log.block import BlockHeader, BlockKind
from tallystick.meter import Meter
from tallystick.signal_store import FailedWatch, LookCounts, LookReport
from tallystick.signals.calendar_period import Span
from tallystick.signals.signal import CUSTOMER_ZONE, Signal
from tallystick.signals.step import Mark, RecordedStep, SignalState, Step
from tallystick.signals.watch import Watch, WatchKey, watches_of
from tallystick.usage.event_frames import CUSTOMER
from tallystick.usage.operand import FIELD_PREFIX

from .customer_sums import Addends, CustomerNumbers
from .customer_zones import UTC, CustomerZones
from .fresh_events import FreshEvents
from .kept_figures import CELLS_MAX
from .ledger import Ledger
from .states_view import StatesView
from .view import View
from .watch_part import NOBODY, Look, Room, Touched, WatchPart, is_kept
from .watch_readings import Asked, read_figures, who_sent

# Steps run on the writer's thread at some 0.05 ms each, and events wait meanwhile.
STEPS_PER_COMMIT: Final = 300
MARK_EVERY_NS: Final = 60 * NS_PER_S
TRIED_AGAIN_EVERY_NS: Final = 60 * NS_PER_S
# An event that happened so long before the last look was late: what it takes back is a correction.
_LATE_NS: Final = 60 * NS_PER_S
_NEWS: Final = (BlockKind.EVENTS, BlockKind.VOIDS, BlockKind.CATALOG)
_Record = Callable[[Sequence[Step], Mark | None], list[RecordedStep]]


class _Watched:
    """A watch with its parts by zone."""

    def __init__(self, watch: Watch, meter: Meter, *, room: Room) -> None:
        self.watch, self.meter, self._room = watch, meter, room
        self.parts: dict[str, WatchPart] = {}
        self.tried_again_at = Instant(0)

    @property
    def is_by_zone(self) -> bool:
        return self.watch.key.timezone == CUSTOMER_ZONE

    def part(self, zone: str) -> WatchPart:
        part = self.parts.get(zone)
        if part is None:
            part = self.parts[zone] = WatchPart(self.watch, self.meter, zone, room=self._room)
        return part

    def is_same(self, signals: Sequence[Signal], meter: Meter) -> bool:
        return self.meter is meter and list(self.watch.signals.values()) == list(signals)


class SignalWatcher:
    """The watcher of one store. `look` may be called from any thread; two looks follow one another."""

    def __init__(self, ledger: Ledger, *, record: _Record) -> None:
        self._ledger, self._record = ledger, record
        self._guard = threading.Lock()
        self._zones = CustomerZones(ledger.folds.catalog)
        ledger.folds.catalog.follow_zones(self._zones.put)
        self._watched: dict[WatchKey, _Watched] = {}
        self._signals: object = None
        self._meters: object = None
        self._position: Position | None = None
        self._at = Instant(0)
        self._marked = Mark(Position(0), Instant(0))
        self._room = _Room()
        self.counts = LookCounts()

    def look(self, *, is_time_due: bool) -> LookReport:
        """Look once; see `signal_store.Signals.look`."""
        with self._guard:
            started = time.perf_counter_ns()
            try:
                report = self._look(is_time_due=is_time_due)
            except BaseException:
                self._forget()
                raise
            self.counts = structs.replace(
                self.counts,
                looks=self.counts.looks + 1,
                steps=self.counts.steps + report.steps,
                failed_watches=self.counts.failed_watches + len(report.failed),
                look_ns=self.counts.look_ns + time.perf_counter_ns() - started,
                position=report.position,
            )
            return report

    def counts_now(self) -> LookCounts:
        """Return what looks came to, and how far they are behind."""
        head, counts = self._ledger.folds.projections.view.head.position, self.counts
        for each in self._ledger.log.heads(after=counts.position, until=head):
            if each.kind in _NEWS:
                age_ns = max(0, self._ledger.clock.now() - each.written_at)
                return structs.replace(counts, lag_positions=head - each.position + 1, lag_ns=age_ns)
        return counts

    def _forget(self) -> None:
        """Begin again from the mark, as a start does."""
        self._watched, self._signals, self._meters, self._position = {}, None, None, None
        self._room = _Room()

    def _look(self, *, is_time_due: bool) -> LookReport:
        # The catalog before the view: what it defines is in no later view than this one, so nothing falls between them.
        failed = self._follow_catalog()
        view = self._ledger.folds.projections.view
        head = view.head.position
        after = self._begin(head)
        if not self._watched:
            self._position, self._at = head, self._now()
            return LookReport(steps=0, position=head, failed=failed, has_waiting=False)
        news = [each for each in self._ledger.log.heads(after=after, until=head) if each.kind in _NEWS]
        fresh_after = self._fresh_events(view)
        fresh = fresh_after(after)
        source, now = StatesView(view, self._ledger.partials), self._now()
        since, until = (news[0].written_at, news[-1].written_at) if news else (now, now)
        look = Look(
            source=source,
            now=now,
            since=Instant(min(since, now)),
            until=Instant(min(until, now)),
            marked_at=self._marked.at or now,
            after=after,
            position=head,
            fresh_after=fresh_after,
            is_time_due=is_time_due,
        )
        taken = 0
        waiting: list[Step] = []
        with self._ledger.partials.asking():
            for step in self._steps(look, fresh if _has_events(news) else None, failed):
                waiting.append(step)
                if len(waiting) >= STEPS_PER_COMMIT:
                    check_cancelled()
                    taken += len(self._record(waiting, None))
                    waiting = []
        taken += self._end(look, waiting, has_news=bool(news) or taken > 0)
        self._position, self._at = head, look.now
        return LookReport(steps=taken, position=head, failed=failed, has_waiting=self._waits_after() is not None)

    def _fresh_events(self, view: View) -> Callable[[Position], FreshEvents]:
        """Return what gives the events of the view past a position, which are read once."""
        names, columns_at = self._names(), self._ledger.folds.projections.columns_at

        def fresh_after(after: Position) -> FreshEvents:
            return FreshEvents(view, after=after, names=names, columns_at=columns_at)

        return cache(fresh_after)

    def _waits_after(self) -> Position | None:
        """Return the position up to which nobody is waiting to be looked at; None where nobody waits."""
        waits = [part.waits_after for watched in self._watched.values() for part in watched.parts.values()]
        return min((each for each in waits if each is not None), default=None)

    def _begin(self, head: Position) -> Position:
        if self._position is None:
            mark = self._ledger.folds.signal_book.mark()
            self._marked = mark or Mark(head, Instant(0))
            self._position = Position(min(self._marked.position, head))
        return self._position

    def _now(self) -> Instant:
        """Return the present, which does not go back: a period that was closed is over."""
        return Instant(max(self._ledger.clock.now(), self._at))

    def _end(self, look: Look, waiting: list[Step], *, has_news: bool) -> int:
        """Write what is left, with the mark in the same commit; alone about once a minute, where something came or a period ended."""
        parts = [part for watched in self._watched.values() for part in watched.parts.values()]
        is_worth_it = has_news or any(part.has_closed for part in parts)
        is_mark_due = is_worth_it and look.now - self._marked.at >= MARK_EVERY_NS
        if not waiting and not is_mark_due:
            return 0
        waits_after = self._waits_after()
        mark = Mark(look.position if waits_after is None else waits_after, look.now)
        taken = self._record(waiting, mark)
        self._marked = mark
        for part in parts:
            part.has_closed = False
        return len(taken)

    # What is watched

    def _follow_catalog(self) -> list[FailedWatch]:
        catalog = self._ledger.folds.catalog
        signals, meters = catalog.signals, catalog.meters
        if signals is self._signals and meters is self._meters:
            return []
        known, self._watched = self._watched, {}
        failed: list[FailedWatch] = []
        for key, members in watches_of(signals).items():
            meter = meters.get(key.meter)
            if meter is None or meter.archived_at is not None:
                continue
            before = known.get(key)
            if before is not None and before.is_same(members, meter):
                self._watched[key] = before
            else:
                self._watched[key] = _Watched(Watch(key, members), meter, room=self._room)
        if any(watched.is_by_zone for watched in self._watched.values()):
            self._zones.load()
        self._room.watches = sum(is_kept(key) for key in self._watched)
        self._signals, self._meters = signals, meters
        return failed

    def _names(self) -> dict[str, set[str]]:
        """Return the properties that filters and groups ask for, by event type."""
        names: dict[str, set[str]] = {}
        for watched in self._watched.values():
            found = names.setdefault(watched.meter.event_type, set())
            key = watched.watch.key
            asked = {*watched.meter.filter, *(name for name, _ in key.filter), *key.group_by}
            asked |= _field_names(watched.meter)
            found |= asked - {CUSTOMER}
        return names

    # Who is touched, and what follows

    def _steps(self, look: Look, fresh: FreshEvents | None, failed: list[FailedWatch]) -> Iterator[Step]:
        moved = self._zones.take_changes()
        touched_by = _TouchedBy(fresh, late_before=Instant(self._at - _LATE_NS), numbers=self._room.numbers)
        for watched in self._watched.values():
            check_cancelled()
            if look.now < watched.tried_again_at:
                continue
            try:
                yield from self._steps_of(watched, look, touched_by.touched(watched.watch, watched.meter), moved)
            except (Cancelled, Unavailable):
                raise
            except TallystickError as error:
                # One meter whose plugin is gone, or a range of too many events: the others are looked at all the same.
                failed.append(FailedWatch(signals=list(watched.watch.signals), reason=str(error)))
                watched.parts.clear()
                watched.tried_again_at = Instant(look.now + TRIED_AGAIN_EVERY_NS)

    def _steps_of(
        self, watched: _Watched, look: Look, touched: Touched, moved: Sequence[tuple[str, str, str]]
    ) -> Iterator[Step]:
        watch = watched.watch
        if not watched.is_by_zone:
            named = None if watch.customers is None else sorted(watch.customers)
            yield from self._steps_of_part(watched.part(watch.key.timezone), look, touched, members=named, others=())
            return
        for customer, before, _ in moved:
            watched.part(before).leave([customer])
        again = [customer for customer, _, _ in moved if watch.customers is None or customer in watch.customers]
        everybody = sorted({*touched.customers, *again})
        by_zone: dict[str, list[str]] = {}
        for customer in everybody:
            by_zone.setdefault(self._zones.zone_of(customer), []).append(customer)
        for zone in self._zones.zones():
            members, others = self._zones.members(zone), self._zones.others() if zone == UTC else ()
            if watch.customers is not None:
                members = [each for each in sorted(watch.customers) if self._zones.zone_of(each) == zone]
            of_zone = structs.replace(touched, customers=by_zone.get(zone, []))
            yield from self._steps_of_part(watched.part(zone), look, of_zone, members=members, others=others)

    def _steps_of_part(
        self,
        part: WatchPart,
        look: Look,
        touched: Touched,
        *,
        members: Sequence[str] | None,
        others: Sequence[str],
    ) -> Iterator[Step]:
        if not touched.customers and not part.is_due(look):
            return
        stored = self._stored(part) if part.is_new else {}
        yield from part.steps(look, touched, stored=stored, members=members, others=others)

    def _stored(self, part: WatchPart) -> dict[str, list[SignalState]]:
        """Return the states of a part's signals that are above level 0."""
        book, is_by_zone = self._ledger.folds.signal_book, part.watch.key.timezone == CUSTOMER_ZONE
        return {
            key: [
                state
                for state in book.above_zero(key)
                if not is_by_zone or self._zones.zone_of(state.subject.customer or "") == part.zone
            ]
            for key in part.watch.signals
        }


class _TouchedBy:
    """Whom the new events of one look (None: there are none) concern; asked once for all watches that share their filters."""

    def __init__(self, fresh: FreshEvents | None, *, late_before: Instant, numbers: CustomerNumbers) -> None:
        self._fresh, self._late_before, self._numbers = fresh, late_before, numbers
        self._addends: dict[tuple[object, ...], Addends] = {}
        self._sent: dict[tuple[object, ...], list[str]] = {}
        self._late: dict[str, frozenset[str]] = {}

    def touched(self, watch: Watch, meter: Meter) -> Touched:
        """Return the customers whose new or voided events pass the watch's filters."""
        if self._fresh is None:
            return NOBODY
        event_type = meter.event_type
        voided = frozenset(self._fresh.voided(event_type))
        if event_type not in self._late:
            self._late[event_type] = frozenset(self._fresh.late(event_type, before=self._late_before))
        place = (meter.key, watch.key.filter)
        customers = self._sent.get(place)
        if customers is None:
            sent = who_sent(self._fresh, Asked(watch.key, meter, UTC, None))
            customers = self._sent[place] = sorted({*sent, *voided})
        if watch.customers is not None:
            customers = [each for each in customers if each in watch.customers]
        return Touched(
            fresh=self._fresh,
            customers=customers,
            voided=voided,
            late=self._late[event_type],
            addends=partial(self._addends_of, self._fresh, watch, meter),
        )

    def _addends_of(self, fresh: FreshEvents, watch: Watch, meter: Meter, span: Span) -> Addends:
        """Return what the new events in a period add; periods that hold all of them share it."""
        times = fresh.times(meter.event_type)
        is_within = times is None or (span.start <= times[0] and times[1] < span.end)
        place = (meter.key, watch.key.filter, None if is_within else span)
        addends = self._addends.get(place)
        if addends is None:
            figures, _ = read_figures(fresh, Asked(watch.key, meter, UTC, None), span, now=span.end)
            addends = self._addends[place] = Addends(figures, self._numbers)
        return addends


class _Room:
    """Customers by number, and how many figures may be kept."""

    def __init__(self) -> None:
        self.numbers = CustomerNumbers()
        self.watches = 0

    def has_room(self, customers: int) -> bool:
        return self.watches * max(customers, len(self.numbers)) <= CELLS_MAX


def _field_names(meter: Meter) -> set[str]:
    fields = (meter.field, *meter.fields)
    return {field.removeprefix(FIELD_PREFIX) for field in fields if field.startswith(FIELD_PREFIX)}


def _has_events(news: Sequence[BlockHeader]) -> bool:
    return any(each.kind is not BlockKind.CATALOG for each in news)
