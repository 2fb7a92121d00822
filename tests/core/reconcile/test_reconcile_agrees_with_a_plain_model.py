"""Whatever is sent, voided and claimed, each claim ends where a dictionary says, and both sides' sums are right."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.decode import DecodeLimits
from tallystick.event import Position
from tallystick.identity import Identity
from tallystick.instant import parse_instant
from tallystick.reconcile.claims import decode_claims
from tallystick.reconcile.question import Direction, ReconcileQuestion
from tallystick.reconcile.reconciliation import Reconciliation
from tests.core.engine.conftest import EngineHouse

START, END = "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"
TIMES = ["2026-09-30T23:59:59.999999999Z", START, "2026-10-20T00:00:00Z", END]


class Said(NamedTuple):
    """An event as both sides may say it."""

    id: str
    source: str
    customer: str
    time: str
    value: str
    region: str | None

    @property
    def identity(self) -> tuple[str, str]:
        return self.source, self.id

    @property
    def is_in_scope(self) -> bool:
        return self.customer == "acme" and START <= self.time < END

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "source": self.source,
            "type": "call",
            "customer": self.customer,
            "time": self.time,
            "value": self.value,
            "properties": {} if self.region is None else {"region": self.region},
        }


said = st.builds(
    Said,
    id=st.sampled_from([f"id-{number}" for number in range(12)]),
    source=st.sampled_from(["", "gw"]),
    customer=st.sampled_from(["acme", "acme", "globex"]),
    time=st.sampled_from(TIMES),
    value=st.sampled_from(["1", "2.5"]),
    region=st.sampled_from(["eu", None]),
)


def compare(house: EngineHouse, claimed: list[Said], direction: Direction, as_of: Position | None) -> Reconciliation:
    claims = decode_claims(
        msgspec.json.encode([each.as_json() for each in claimed]),
        media_type="application/json",
        customer="acme",
        source=None,
        received_at=house.clock.now(),
        limits=DecodeLimits(),
    )
    question = ReconcileQuestion(
        customer="acme", start=parse_instant(START), end=parse_instant(END), as_of=as_of, direction=direction
    )
    return house.engine.reconcile(claims, question)


def check(found: Reconciliation, claimed: list[Said], log: dict[tuple[str, str], Said], voided: set[str]) -> None:
    """Compare with the definition: the first claim of each identity against the event of that identity."""
    firsts: dict[tuple[str, str], int] = {}
    for index, claim in enumerate(claimed):
        firsts.setdefault(claim.identity, index)
    kinds: dict[int, str] = {}
    for identity, index in firsts.items():
        claim, event = claimed[index], log.get(identity)
        if event is None:
            kinds[index] = "only_yours" if claim.is_in_scope else "outside"
        elif not claim.is_in_scope and (not event.is_in_scope or event.id in voided):
            kinds[index] = "outside"
        elif event.id in voided:
            kinds[index] = "voided"
        else:
            kinds[index] = "same" if claim == event else "differs"
    told = {each.index: "only_yours" for each in found.only_yours}
    told |= {each.index: "differs" for each in found.differs} | {each.index: "voided" for each in found.voided}
    assert told == {index: kind for index, kind in kinds.items() if kind not in ("same", "outside")}
    assert found.same_count == list(kinds.values()).count("same")
    assert found.outside_count == list(kinds.values()).count("outside")
    assert {each.index for each in found.repeated} == set(range(len(claimed))) - set(firsts.values())
    for repeated in found.repeated:
        assert repeated.has_same_content == (claimed[repeated.index] == claimed[repeated.first_index])
    for each in found.differs:
        claim, event = claimed[each.index], log[claimed[each.index].identity]
        assert [one.field for one in each.differences] == [
            name
            for name, is_other in (
                ("customer", claim.customer != event.customer),
                ("time", claim.time != event.time),
                ("value", claim.value != event.value),
                ("properties.region", claim.region != event.region),
            )
            if is_other
        ]
    ours = [claimed[index] for index in firsts.values() if claimed[index].is_in_scope]
    assert (found.yours.events, found.yours.value) == (len(ours), sum(Decimal(claim.value) for claim in ours))
    if found.appliance is not None:
        counted = [event for event in log.values() if event.is_in_scope and event.id not in voided]
        assert found.appliance.events == len(counted)
        assert found.appliance.value == sum(Decimal(event.value) for event in counted)
        extra = {(each.event.source, each.event.id) for each in found.only_appliance}
        assert extra == {event.identity for event in counted if event.identity not in firsts}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sent=st.lists(said, max_size=25),
    later=st.lists(said, max_size=10),
    voided=st.sets(st.sampled_from([f"id-{number}" for number in range(12)]), max_size=3),
    claimed=st.lists(said, max_size=25),
    keep=st.lists(st.booleans(), min_size=25, max_size=25),
    is_in_files=st.booleans(),
)
def test_every_claim_ends_where_a_dictionary_says(
    sent: list[Said], later: list[Said], voided: set[str], claimed: list[Said], keep: list[bool], *, is_in_files: bool
) -> None:
    # Many claims are right, as those of an honest list are.
    claimed = [event for event, is_kept in zip(sent, keep, strict=False) if is_kept] + claimed
    with tempfile.TemporaryDirectory() as folder:
        house = EngineHouse(Path(folder) / "data")
        log: dict[tuple[str, str], Said] = {}
        for event in sent:
            log.setdefault(event.identity, event)
        if sent:
            house.engine.ingest(house.batch(*[event.as_json() for event in sent]))
        if voided:
            targets = [Identity(source, each) for source in ("", "gw") for each in sorted(voided)]
            house.engine.void_events(targets, reason="wrong", remember_missing=False)
        if is_in_files:
            house.engine.checkpoint()
        for direction in Direction:
            check(compare(house, claimed, direction, None), claimed, log, voided)
        as_of = house.engine.log_head().position
        if later:
            house.engine.ingest(house.batch(*[event.as_json() for event in later]))
        house.engine.void_events([Identity("", "id-0")], reason="wrong", remember_missing=False)
        for direction in Direction:
            check(compare(house, claimed, direction, as_of), claimed, log, voided)
        house.engine.close()
