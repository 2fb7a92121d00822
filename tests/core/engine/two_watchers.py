"""An engine and the slow reference, told the same: one of every kind of signal over the same events."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tallystick.customer import Customer
from tallystick.identity import Identity
from tallystick.instant import NS_PER_S, Instant, format_instant
from tallystick.meter import Meter
from tallystick.signals.signal import Condition, ConditionType, Direction, Op, Period, Signal
from tallystick.signals.step import Step, Subject
from tests.core.engine.conftest import EngineHouse
from tests.core.engine.signals_model import Sent, SignalsModel, Taken

HOUR = 3_600
METER = Meter(key="units", name="Units", event_type="use", aggregation="sum", field="properties.n")
ZONES = {"acme": "Europe/Berlin", "beta": "Australia/Lord_Howe"}


def threshold(*thresholds: int, op: Op = Op.AT_LEAST, limit: int | None = None) -> Condition:
    return Condition(
        type=ConditionType.THRESHOLD,
        op=op,
        thresholds=tuple(map(Decimal, thresholds)),
        limit=None if limit is None else Decimal(limit),
    )


def change(kind: ConditionType, value: int, direction: Direction, floor: int | None = None) -> Condition:
    return Condition(
        type=kind, value=Decimal(value), direction=direction, floor=None if floor is None else Decimal(floor)
    )


def silence(hours: int) -> Condition:
    return Condition(type=ConditionType.NO_DATA, silence_s=hours * HOUR)


def signals_in(zone: str) -> list[Signal]:
    """Return one of everything, told apart by key."""

    def signal(key: str, condition: Condition, **fields: object) -> Signal:
        given = {"customer": "*", "timezone": zone, "period": Period.DAY, **fields}
        return Signal(key=key, meter="units", condition=condition, **given)  # pyright: ignore[reportArgumentType]

    percent, absolute = ConditionType.PERCENT_CHANGE, ConditionType.ABSOLUTE_CHANGE
    return [
        signal("day", threshold(5, 8, 12)),
        signal("day-more", threshold(8, 20, op=Op.ABOVE)),
        signal("day-low", threshold(6, 2, op=Op.BELOW)),
        signal("month", threshold(50, 80, 100, limit=150), period=Period.MONTH),
        signal("week", threshold(40), period=Period.WEEK, filter={"region": ("eu",)}),
        signal("hour", threshold(4), period=Period.HOUR),
        signal("regions", threshold(9), group_by=("region",)),
        signal("all", threshold(20, 30), customer=None),
        signal("acme", threshold(7), customer="acme"),
        signal("beta", threshold(9), customer="beta"),
        signal("jump", change(percent, 60, Direction.UP, floor=6)),
        signal("drop", change(percent, 50, Direction.DOWN)),
        signal("moved", change(absolute, 15, Direction.ANY), period=Period.WEEK),
        signal("quiet", silence(20), period=Period.MONTH),
        signal("own", threshold(6), timezone="customer"),
    ]


class TwoWatchers:
    """Whatever is done to one is done to the other."""

    def __init__(self, house: EngineHouse, signals: list[Signal]) -> None:
        self.house = house
        self.model = SignalsModel(signals, zones=ZONES)
        house.engine.put_meter(METER, create=True)
        for key, zone in ZONES.items():
            house.engine.put_customer(Customer(key=key, time_zone=zone), create=True)
        for signal in signals:
            house.engine.signals.put(signal, create=True)

    def send(self, customer: str, value: int, *, region: str | None, age_s: int) -> None:
        """Send an event that happened so many seconds ago."""
        now, number = self.house.clock.now(), len(self.model.events)
        sent = Sent(f"e{number}", now - age_s * NS_PER_S, customer, Fraction(value), region, now)
        event: dict[str, object] = {
            "id": sent.id,
            "type": "use",
            "customer": customer,
            "time": format_instant(Instant(sent.at)),
            "properties": {"n": value} | ({"region": region} if region else {}),
        }
        self.house.engine.ingest(self.house.batch(event))
        self.model.events.append(sent)
        if sent.at < self.model.looked_at - 60 * NS_PER_S:
            self.model.corrected.add(customer)
        self._note_news()

    def void(self, sent: Sent) -> None:
        """Take an event back."""
        if not sent.is_voided:
            sent.is_voided = True
            self.house.engine.void_events([Identity("", sent.id)], reason="test", remember_missing=False)
            self.model.corrected.add(sent.customer)
            self._note_news()

    def look(self) -> None:
        """Have both look."""
        self.house.engine.signals.look(is_time_due=True)
        self.model.look(self.house.clock.now())

    def steps(self) -> list[Taken]:
        """Return the steps that the engine recorded."""
        signals = self.house.engine.signals
        return [
            _as_taken(each.step)
            for signal in self.model.signals
            for each in signals.history(signal.key, limit=100_000, cursor=None).items
        ]

    def levels(self) -> dict[tuple[str, tuple[str | None, ...]], tuple[int, int]]:
        """Return where the engine's signals stand in the present period, as `SignalsModel.levels_at` does."""
        found: dict[tuple[str, tuple[str | None, ...]], tuple[int, int]] = {}
        now = self.house.clock.now()
        for signal in self.model.signals:
            for state in self.house.engine.signals.states(signal.key, limit=1_000, cursor=None).items:
                if state.level_at(now):
                    found[signal.key, _named(state.subject)] = state.period_start, state.level
        return found

    def _note_news(self) -> None:
        self.model.unseen_until = self.house.clock.now()
        if self.model.unseen_since is None:
            self.model.unseen_since = self.model.unseen_until


def _named(subject: Subject) -> tuple[str | None, ...]:
    groups = tuple(value for _, value in subject.group)
    return groups if subject.customer is None else (subject.customer, *groups)


def _as_taken(step: Step) -> Taken:
    return Taken(
        signal=step.signal,
        subject=_named(step.subject),
        kind=step.kind.value,
        level=step.level,
        reason=step.reason.value,
        period_start=step.period_start,
        figure=None if step.figure is None else Fraction(step.figure),
        base=None if step.base is None else Fraction(step.base),
    )
