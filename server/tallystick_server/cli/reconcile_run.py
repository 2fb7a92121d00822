"""One run of `tallystick reconcile`: the list goes to the appliance piece by piece, then the customer's events come back page by page.

Promises: everything is compared with the log as it was at one position, taken at the start (or given with `--as-of`), whatever is written
meanwhile; memory is bounded whatever the length of either side; a piece that got no answer is asked again, which changes nothing. A run
that was ended is begun again with the same `--as-of`, and finds the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Final

import msgspec

from tallystick.amount import EXACT
from tallystick_server.present import SystemClock

from .client import ApplianceClient, Params, decode, segment
from .failure import BadUse
from .intake.batch import Batch, batches
from .intake.input_file import InputFile
from .intake.load import LoadPlan, records_of
from .intake.record import Record
from .patient_calls import PatientCalls
from .reconcile_differences import KINDS, Difference, Differences
from .reconcile_ledger import Claimed, ReconcileLedger, identity_digest
from .reconcile_piece import Piece, read_piece
from .reconcile_replies import (
    EventReply,
    EventsReply,
    HeadReply,
    ItemReply,
    MeterDefinition,
    PieceReply,
    UsageReply,
)
from .terminal import Column, ProgressBar, Terminal, digits, shown

_PAGE: Final = "10000"
_ADDITIVE: Final = frozenset({"count", "sum"})
_COUNTED: Final = "counted"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared."""

    customer: str
    start: str
    end: str
    source: str | None
    as_of: int | None
    meters: tuple[str, ...]


class SideSum(msgspec.Struct, frozen=True):
    """One side, as `--json` writes it; the value as text, null where an item did not name its value."""

    events: int
    value: msgspec.Raw


class MeterSums(msgspec.Struct, frozen=True):
    """What one meter makes of both sides."""

    meter: str
    yours: msgspec.Raw
    appliance: msgspec.Raw


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` answers; `differences` holds the first ones, `counts` counts them all."""

    agrees: bool
    customer: str
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    as_of: int
    block_hash: str
    yours: SideSum
    appliance: SideSum
    same: int
    outside: int
    counts: dict[str, int]
    meters: list[MeterSums]
    differences: list[Difference]


class ReconcileRun:
    """Compares one list."""

    def __init__(
        self,
        client: ApplianceClient,
        terminal: Terminal,
        plan: LoadPlan,
        asked: Asked,
        *,
        csv_path: str | None,
        shown_max: int,
    ) -> None:
        self._terminal, self._plan, self._asked, self._csv_path = terminal, plan, asked, csv_path
        self._calls = PatientCalls(client, terminal, give_up_after_s=plan.give_up_after_s)
        self._differences = Differences(shown_max=shown_max)
        self._as_of = 0
        self._block_hash = ""
        self._same = self._outside = 0
        # What both sides have, and the values that are not known of one.
        self._yours_events = self._appliance_events = self._unnamed_values = 0
        self._yours_value = self._appliance_value = Decimal(0)
        self._meters: dict[str, Decimal] = {}
        self._conflicting = self._beyond_window = 0

    def run(self, file: InputFile, *, as_json: bool) -> int:
        """Compare the file; return 0 if both sides have the same."""
        size = file.size()
        self._check_meters()
        head = decode(self._calls.get("/v1/log/head"), HeadReply)
        self._as_of = head.position if self._asked.as_of is None else self._asked.as_of
        with (
            self._differences.written_to(self._csv_path),
            ReconcileLedger() as ledger,
            self._terminal.progress() as bar,
            localcontext(EXACT),
        ):
            self._look_up(file, ledger, bar, size)
            self._search(ledger, bar)
        meters = [self._meter_sums(key) for key in self._asked.meters]
        self._report(meters, as_json=as_json)
        return 0 if self._agrees(meters) else 1

    # The list

    def _look_up(self, file: InputFile, ledger: ReconcileLedger, bar: ProgressBar, size: int | None) -> None:
        started_s, done = time.monotonic(), 0
        with records_of(file, self._plan) as records:
            for batch in batches(self._readable(file, records), events_max=self._plan.events_max):
                self._compare(batch, ledger)
                done += len(batch.records)
                rate = done / max(time.monotonic() - started_s, 0.001)
                total = None if file.format == "parquet" else size
                bar.show(batch.consumed, total, f"yours: {done:,} items, {rate:,.0f}/s")

    def _readable(self, file: InputFile, records: Iterator[Record]) -> Iterator[tuple[Record, int]]:
        for record in records:
            fault = record.fault
            if fault is None or (file.format == "jsonl" and record.event[:1] == b'"'):
                # A line that is a text is an id; what else it may be is for the list's own rules to say.
                yield Record(record.place, record.event), file.consumed()
            else:
                self._unreadable(record.place, None, fault.code, fault.detail)

    def _compare(self, batch: Batch, ledger: ReconcileLedger) -> None:
        piece = read_piece(
            batch.records, customer=self._asked.customer, source=self._asked.source, now=SystemClock().now()
        )
        for fault in piece.unreadable:
            self._unreadable(fault.place, fault.id, fault.code, fault.detail)
        fresh = self._first_ones(piece, ledger)
        if not fresh:
            return
        reply = self._ask(b"\n".join(batch.records[piece.indexes[row]].event for row in fresh))
        self._take(reply, [piece.places[row] for row in fresh])
        ledger.mark_missing([piece.identities[fresh[each.index]] for each in reply.only_yours])

    def _first_ones(self, piece: Piece, ledger: ReconcileLedger) -> list[int]:
        """Return the rows whose identities were not seen before, and keep them."""
        seen = ledger.find(piece.identities)
        fresh: dict[bytes, tuple[int, Claimed]] = {}
        for row, (identity, content) in enumerate(zip(piece.identities, piece.contents, strict=True)):
            before = seen.get(identity)
            if before is None:
                seen[identity] = claimed = Claimed(piece.places[row], content, is_missing=False)
                fresh[identity] = row, claimed
            else:
                self._repeated(piece, row, before, is_same=before.content == content)
        ledger.add([(identity, claimed) for identity, (_, claimed) in fresh.items()])
        return [row for row, _ in fresh.values()]

    def _repeated(self, piece: Piece, row: int, before: Claimed, *, is_same: bool) -> None:
        self._conflicting += not is_same
        detail = f"came before in {before.place}, " + ("and says the same" if is_same else "and says something else")
        self._differences.add(
            Difference(
                kind="repeated", source=piece.sources[row], id=piece.ids[row], place=piece.places[row], detail=detail
            )
        )

    def _ask(self, body: bytes) -> PieceReply:
        asked = self._asked
        params = [*self._range(), ("customer", asked.customer), ("direction", "yours")]
        if asked.source is not None:
            params.append(("source", asked.source))
        if asked.meters:
            params.append(("meter", ",".join(asked.meters)))
        return decode(self._calls.post_lines("/v1/reconcile", body, params), PieceReply)

    def _take(self, reply: PieceReply, places: list[str]) -> None:
        self._same += reply.same
        self._outside += reply.outside
        self._yours_events += reply.yours.events
        if reply.yours.value is None:
            self._unnamed_values += 1
        else:
            self._yours_value += reply.yours.value
        for each in reply.unreadable:
            self._unreadable(places[each.index], each.id, each.code, each.detail)
        for kind, found in (("only_yours", reply.only_yours), ("differs", reply.differs), ("voided", reply.voided)):
            for each in found:
                self._add_item(kind, each, places[each.index])
        for figure in reply.meters:
            self._meters[figure.meter] = self._meters.get(figure.meter, Decimal(0)) + (figure.yours or 0)

    def _add_item(self, kind: str, item: ItemReply, place: str) -> None:
        common = Difference(kind=kind, source=item.source, id=item.id or "", place=place, position=item.position)
        if not item.fields:
            self._differences.add(common)
        for number, field in enumerate(item.fields):
            difference = msgspec.structs.replace(
                common, field=field.field, yours=_text(field.yours), appliance=_text(field.appliance)
            )
            self._differences.add(difference, is_first=number == 0)

    def _unreadable(self, place: str, event_id: str | None, code: str, detail: str) -> None:
        self._differences.add(Difference(kind="unreadable", id=event_id or "", place=place, detail=f"{code}: {detail}"))

    # The log

    def _search(self, ledger: ReconcileLedger, bar: ProgressBar) -> None:
        """Take every event of the range, and sort out those that the list lacks."""
        path = f"/v1/customers/{segment(self._asked.customer)}/events"
        params = [*self._range(), ("limit", _PAGE)]
        if self._asked.source is not None:
            params.append(("source", self._asked.source))
        cursor: list[tuple[str, str]] = []
        while True:
            page = decode(self._calls.get(path, [*params, *cursor]), EventsReply)
            self._meet([event for event in page.items if event.state == _COUNTED], ledger)
            self._block_hash = page.block_hash
            bar.show(self._appliance_events, None, f"the appliance's: {self._appliance_events:,} events")
            if page.next_cursor is None:
                return
            cursor = [("cursor", page.next_cursor)]

    def _meet(self, events: Sequence[EventReply], ledger: ReconcileLedger) -> None:
        identities = [identity_digest(event.source, event.id) for event in events]
        claimed = ledger.find(identities)
        for event, identity in zip(events, identities, strict=True):
            self._appliance_events += 1
            self._appliance_value += event.value
            claim = claimed.get(identity)
            if claim is None:
                self._differences.add(
                    Difference(kind="only_appliance", source=event.source, id=event.id, position=event.position)
                )
            elif claim.is_missing:
                self._beyond_window += 1

    # Meters

    def _check_meters(self) -> None:
        if self._asked.meters and self._asked.source is not None:
            raise BadUse("--meter: figures are not kept by source; leave --meter or --source out")
        for key in self._asked.meters:
            meter = decode(self._calls.get(f"/v1/meters/{segment(key)}"), MeterDefinition)
            if meter.aggregation not in _ADDITIVE:
                raise BadUse(
                    f"--meter: {key} is a {meter.aggregation}; only count and sum add up over the pieces of a long list"
                )

    def _meter_sums(self, key: str) -> MeterSums:
        params = [*self._range(), ("filter[customer]", self._asked.customer), ("fill", "zero")]
        usage = decode(self._calls.get(f"/v1/meters/{segment(key)}/usage", params), UsageReply)
        return MeterSums(key, _figure(self._meters.get(key, Decimal(0))), _figure(usage.totals[0].value or Decimal(0)))

    # The end

    def _range(self) -> Params:
        return [("from", self._asked.start), ("to", self._asked.end), ("as_of", str(self._as_of))]

    def _agrees(self, meters: list[MeterSums]) -> bool:
        counts = self._differences.counts
        return (
            not any(counts[kind] for kind in KINDS if kind != "repeated")
            and not self._conflicting
            and self._yours_events == self._appliance_events
            and (self._unnamed_values > 0 or self._yours_value == self._appliance_value)
            and all(bytes(each.yours) == bytes(each.appliance) for each in meters)
        )

    def _report(self, meters: list[MeterSums], *, as_json: bool) -> None:
        yours = None if self._unnamed_values else self._yours_value
        summary = Summary(
            agrees=self._agrees(meters),
            customer=self._asked.customer,
            start=self._asked.start,
            end=self._asked.end,
            as_of=self._as_of,
            block_hash=self._block_hash,
            yours=SideSum(self._yours_events, _figure(yours)),
            appliance=SideSum(self._appliance_events, _figure(self._appliance_value)),
            same=self._same,
            outside=self._outside,
            counts={kind: self._differences.counts[kind] for kind in KINDS},
            meters=meters,
            differences=self._differences.shown,
        )
        if self._beyond_window:
            self._terminal.note(
                f"{shown(self._beyond_window)} events are listed as yours alone though the appliance has their ids: they are "
                "older than its dedupe window, in which alone ids are looked up. docs/reconcile.md says what to do"
            )
        if as_json:
            self._terminal.json(msgspec.json.encode(summary))
        else:
            self._show(summary)

    def _show(self, summary: Summary) -> None:
        terminal = self._terminal
        terminal.say(
            f"{summary.customer}, {summary.start} to {summary.end}, as the log was at position {summary.as_of}"
        )
        sides = [
            ("events", summary.yours.events, summary.appliance.events),
            ("value", _shown(summary.yours.value), _shown(summary.appliance.value)),
            *((f"meter {each.meter}", _shown(each.yours), _shown(each.appliance)) for each in summary.meters),
        ]
        terminal.table([Column(""), Column("yours", numeric=True), Column("appliance", numeric=True)], sides)
        terminal.facts([("same", summary.same), *summary.counts.items(), ("outside", summary.outside)])
        if summary.differences:
            columns = [Column(name) for name in ("kind", "id", "place", "field", "yours", "appliance", "detail")]
            terminal.table(
                columns,
                [
                    (each.kind, each.id, each.place, each.field, each.yours, each.appliance, each.detail)
                    for each in summary.differences
                ],
            )
        if sum(summary.counts.values()) > len(summary.differences) and self._csv_path is None:
            terminal.note("there are more differences; --csv PATH writes them all")
        terminal.say("Both sides have the same." if summary.agrees else "The two sides do not have the same.")


def _figure(value: Decimal | None) -> msgspec.Raw:
    return msgspec.Raw(b"null" if value is None else digits(value).encode())


def _shown(figure: msgspec.Raw) -> Decimal | None:
    text = bytes(figure).decode()
    return None if text == "null" else Decimal(text)


def _text(value: msgspec.Raw) -> str | None:
    written = bytes(value)
    if written == b"null":
        return None
    return msgspec.json.decode(written, type=str) if written[:1] == b'"' else written.decode()
