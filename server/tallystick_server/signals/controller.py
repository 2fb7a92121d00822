"""Signals: defined, changed, deleted; where they stand, what they did, and who is not to be told for a while."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Request, delete, get, patch, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from tallystick.api_key import ApiKey, Scope
from tallystick.errors import InvalidDefinition
from tallystick.event import CUSTOMER_LENGTH_MAX
from tallystick.instant import Instant
from tallystick.signals.signal import Signal
from tallystick.signals.signal_definition import checked_signal
from tallystick.signals.step import EVERYBODY, SignalState, StepKind
from tallystick.store import Store
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access, Present
from tallystick_server.json_values import timestamp_or_null
from tallystick_server.outgoing.post_office import PostOffice
from tallystick_server.parameters import Cursor, Limit

from .customer_channels import CustomerChannels
from .schemas import SignalCreate, SignalOut, SignalsOut, SignalUpdate, patched, signal_of, signal_out, signals_after
from .standing import (
    FiredPageOut,
    HistoryOut,
    SnoozeRequest,
    StateOut,
    StatesOut,
    fired_out,
    history_step_out,
    snoozed_until,
    state_out,
    subject_of,
    until_of,
)
from .trial import SignalPreviewOut, SignalPreviewRequest, preview_out, preview_question

# Paths beside `/v1/signals/{key}`: a signal of that key could not be reached.
_ROUTES = frozenset({"fired", "preview"})

OfMeter = Annotated[str | None, QueryParameter(name="meter", max_length=128, description="Only those of this meter.")]
OfOwner = Annotated[
    str | None,
    QueryParameter(name="owner", max_length=CUSTOMER_LENGTH_MAX, description="Only this customer's own signals."),
]
OfSignal = Annotated[
    str | None, QueryParameter(name="signal", max_length=128, description="Only those of this signal.")
]
OfCustomer = Annotated[
    str | None,
    QueryParameter(name="customer", max_length=CUSTOMER_LENGTH_MAX, description="Only those about this customer."),
]
OfKind = Annotated[StepKind | None, QueryParameter(name="kind", description="Only steps of this kind.")]


class SignalController(Controller):
    """Conditions on the figures of meters, watched for a customer, for each, or for all together."""

    path = "/v1/signals"
    tags = ("Signals",)

    @get("/", operation_id="listSignals", summary="List signals", opt=allowed(Scope.READ))
    async def page(
        self,
        *,
        access: Access,
        clock: Present,
        meter: OfMeter = None,
        owner: OfOwner = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> SignalsOut:
        """List signals by key."""

        def listed(store: Store) -> SignalsOut:
            signals = [
                signal
                for signal in store.signals.all()
                if meter in (None, signal.meter) and owner in (None, signal.owner)
            ]
            found, next_cursor = signals_after(signals, limit=limit, cursor=cursor)
            wholes = store.signals.states_of([(signal.key, EVERYBODY) for signal in found])
            now = clock.now()
            return SignalsOut(
                [
                    signal_out(signal, snoozed_until=timestamp_or_null(snoozed_until(None, whole, now=now)))
                    for signal, whole in zip(found, wholes, strict=True)
                ],
                next_cursor,
            )

        return await access.read(listed)

    @post("/", operation_id="createSignal", summary="Define a signal", opt=allowed(Scope.ADMIN, 409, 422))
    async def create(
        self,
        data: JSONBody[SignalCreate],
        access: Access,
        post_office: NamedDependency[PostOffice],
        customer_channels: NamedDependency[CustomerChannels],
    ) -> SignalOut:
        """Define a signal. Its meter and its channels must be there; what is past its threshold already fires at once."""
        signal = signal_of(data)
        if signal.key in _ROUTES:
            raise InvalidDefinition("key", f"{signal.key!r} is a route of its own: choose another key")
        await _check(signal, None, post_office)

        def put(store: Store) -> Signal:
            customer_channels.check(signal, store)
            return store.signals.put(signal, create=True)

        return signal_out(await access.read(put), snoozed_until=None)

    @get("/fired", operation_id="listFired", summary="List what is fired now", opt=allowed(Scope.READ, 404))
    async def fired(
        self,
        *,
        access: Access,
        clock: Present,
        signal: OfSignal = None,
        customer: OfCustomer = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> FiredPageOut:
        """List who is past a threshold now, over all signals or of one, newest first, with the figures of the step that led there."""

        def listed(store: Store) -> FiredPageOut:
            page = store.signals.fired(signal=signal, customer=customer, limit=limit, cursor=cursor)
            keys = list(dict.fromkeys(each.signal for each in page.items))
            wholes = dict(zip(keys, store.signals.states_of([(key, EVERYBODY) for key in keys]), strict=True))
            signals, now = {each.key: each for each in store.signals.all()}, clock.now()
            items = [fired_out(each, signals, whole=wholes[each.signal], now=now) for each in page.items]
            return FiredPageOut([item for item in items if item is not None], page.next_cursor, page.count)

        return await access.read(listed)

    @post(
        "/preview",
        operation_id="previewSignal",
        summary="Try a signal on the past",
        opt=allowed(Scope.READ, 422, 424),
        status_code=200,
    )
    async def preview(
        self,
        data: JSONBody[SignalPreviewRequest],
        access: Access,
        clock: Present,
        request: Request[None, ApiKey, State],
    ) -> SignalPreviewOut:
        """Answer when a signal would have fired over past events, to the instant, without saving anything.

        Each event counts from its own time on, as if it had arrived then. What would have to look at too many events is refused.
        """
        signal, question = signal_of(data.signal), preview_question(data, clock)
        return await access.scan(
            lambda store: preview_out(store.signals.preview(signal, question), signal), request.receive
        )

    @get("/{key:str}", operation_id="getSignal", summary="Show a signal", opt=allowed(Scope.READ, 404))
    async def show(self, key: FromPath[str], access: Access, clock: Present) -> SignalOut:
        """Show one signal."""
        return await access.read(lambda store: _shown(store, key, now=clock.now()))

    @patch("/{key:str}", operation_id="updateSignal", summary="Change a signal", opt=allowed(Scope.ADMIN, 404, 422))
    async def change(
        self,
        key: FromPath[str],
        data: JSONBody[SignalUpdate],
        access: Access,
        clock: Present,
        post_office: NamedDependency[PostOffice],
        customer_channels: NamedDependency[CustomerChannels],
    ) -> SignalOut:
        """Change a signal by a merge patch. A change of what is watched arms everybody again; one of name or channels does not."""
        current: Signal = await access.read(lambda store: store.signals.one(key))
        changed = patched(current, data)
        await _check(changed, current, post_office)

        def put(store: Store) -> SignalOut:
            customer_channels.check(changed, store)
            store.signals.put(changed, create=False)
            return _shown(store, key, now=clock.now())

        return await access.read(put)

    @delete("/{key:str}", operation_id="deleteSignal", summary="Delete a signal", opt=allowed(Scope.ADMIN, 404))
    async def remove(self, key: FromPath[str], access: Access) -> None:
        """Delete a signal. What it did stays in the log; messages that wait are still sent."""
        await access.read(lambda store: store.signals.delete(key))

    @get(
        "/{key:str}/history",
        operation_id="getSignalHistory",
        summary="List the steps of a signal",
        opt=allowed(Scope.READ, 404),
    )
    async def history(
        self,
        *,
        key: FromPath[str],
        access: Access,
        customer: OfCustomer = None,
        kind: OfKind = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> HistoryOut:
        """List what a signal did, newest first: who crossed what, when and by how much, who recovered, and who was snoozed."""
        page = await access.read(
            lambda store: store.signals.history(key, customer=customer, kind=kind, limit=limit, cursor=cursor)
        )
        return HistoryOut([history_step_out(each) for each in page.items], page.next_cursor)

    @get(
        "/{key:str}/states",
        operation_id="listSignalStates",
        summary="List where a signal stands",
        opt=allowed(Scope.READ, 404),
    )
    async def states(
        self, *, key: FromPath[str], access: Access, clock: Present, limit: Limit = 100, cursor: Cursor = None
    ) -> StatesOut:
        """List where a signal stands for each subject about whom it ever took a step, in no particular order; all others are armed."""

        def listed(store: Store) -> StatesOut:
            signal = store.signals.one(key)
            page = store.signals.states(key, limit=limit, cursor=cursor)
            whole, now = store.signals.state(key, EVERYBODY), clock.now()
            # Of a signal for several subjects, everybody is none of them: that state only holds a snooze of all.
            is_one = signal.customer is None and not signal.group_by
            states = [state for state in page.items if is_one or state.subject != EVERYBODY]
            return StatesOut([state_out(state, whole=whole, now=now) for state in states], page.next_cursor)

        return await access.read(listed)

    @post(
        "/{key:str}/snooze",
        operation_id="snoozeSignal",
        summary="Snooze or wake a signal",
        opt=allowed(Scope.ADMIN, 404, 422),
        status_code=200,
    )
    async def snooze(
        self, key: FromPath[str], data: JSONBody[SnoozeRequest], access: Access, clock: Present
    ) -> StateOut:
        """Hold messages back until an instant or for some seconds, about one subject or everybody; `"until": null` wakes.

        The state goes on meanwhile, and so does the history; a message that was held back is not made up for.
        """
        now = clock.now()
        until = until_of(data, now=now)

        def snoozed(store: Store) -> StateOut:
            subject = subject_of(data, store.signals.one(key))
            store.signals.snooze(key, subject, until=until)
            state, whole = store.signals.states_of([(key, subject), (key, EVERYBODY)])
            return state_out(state or SignalState(subject=subject), whole=whole, now=now)

        return await access.read(snoozed)


def _shown(store: Store, key: str, *, now: Instant) -> SignalOut:
    until = snoozed_until(None, store.signals.state(key, EVERYBODY), now=now)
    return signal_out(store.signals.one(key), snoozed_until=timestamp_or_null(until))


async def _check(signal: Signal, before: Signal | None, post_office: PostOffice) -> None:
    """Raise `InvalidDefinition` for a signal that is none, or whose template, if it is a new one, fails."""
    checked_signal(signal)
    if signal.template is not None and (before is None or signal.template != before.template):
        await post_office.check_template(signal.template)
