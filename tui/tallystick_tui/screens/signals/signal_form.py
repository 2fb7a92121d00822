"""Define a signal, or change one; beside the fields, when it would have fired."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, cast

import msgspec
from textual import on, work
from textual.widget import Widget

from tallystick_tui.connection.appliance_client import ApplianceClient, Page, segment
from tallystick_tui.connection.failure import ApplianceFailure, Refused
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.texts.figures import plain
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.choice_field import ChoiceField
from tallystick_tui.widgets.form_field import FormField, TextField
from tallystick_tui.widgets.pairs_field import PairsField
from tallystick_tui.widgets.suggested_field import SuggestedField

from .preview_pane import PreviewPane
from .records import Channel, Condition, Signal
from .signal_body import Typed, Unreadable, body_of, patch_of
from .words import duration

_TYPES: Final = (
    ("threshold", "passes a threshold"),
    ("percent_change", "changes by percent"),
    ("absolute_change", "changes by an amount"),
    ("no_data", "falls silent"),
)
_OPS: Final = ((">=", "≥ at least"), (">", "> above"), ("<=", "≤ at most"), ("<", "< below"))
_DIRECTIONS: Final = (("any", "up or down"), ("up", "up"), ("down", "down"))
_WHO: Final = (("each", "each customer on its own"), ("one", "one customer"), ("all", "all together"))
_PERIODS: Final = (("hour", "hour"), ("day", "day"), ("week", "week"), ("month", "month"))
_DIGESTS: Final = (("none", "each at once"), ("hourly", "one message an hour"), ("daily", "one message a day"))
# Which fields mean something for which type of condition.
_OF_TYPE: Final = {
    "op": ("threshold",),
    "thresholds": ("threshold",),
    "limit": ("threshold",),
    "value": ("percent_change", "absolute_change"),
    "direction": ("percent_change", "absolute_change"),
    "floor": ("percent_change",),
    "silence": ("no_data",),
}
# A refusal names a path of the body; these fields are called otherwise here.
_POINTERS: Final = {
    "condition.silence_s": "silence",
    "condition.value": "thresholds",
    "scope.customer": "customer",
    "condition": "type",
}
_PREVIEW_PAUSE_S: Final = 0.4


class _Meter(msgspec.Struct, frozen=True):
    key: str
    name: str | None = None
    dimensions: list[str] = []


class SignalForm(FormScreen[Signal]):
    """The form; answers the signal as the appliance took it."""

    def __init__(
        self,
        client: ApplianceClient,
        viewer: Viewer,
        *,
        before: Signal | None = None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("New signal" if before is None else f"Signal {before.key}")
        self._client, self._viewer, self._before, self._given = client, viewer, before, dict(given or {})

    def compose_fields(self) -> Iterable[Widget]:
        """Lay out what, when, who, and whom it tells."""
        signal = self._before or Signal(
            key="", meter=self._given.get("meter", ""), condition=Condition(type="threshold")
        )
        if self._before is None and (customer := self._given.get("customer")):
            signal = msgspec.structs.replace(signal, scope=msgspec.structs.replace(signal.scope, customer=customer))
        elif self._before is None:
            signal = msgspec.structs.replace(signal, scope=msgspec.structs.replace(signal.scope, customer="*"))
        if self._before is None:
            yield TextField("key", "Key", hint="A short name for programs: letters, digits, _ . -", is_required=True)
        yield TextField("name", "Name", signal.name or "", hint="What messages call it; the key where it is empty")
        yield ChoiceField("meter", "Meter", [(signal.meter, signal.meter)] if signal.meter else [], signal.meter or None,
                          is_required=True, hint="Whose figure is watched")  # fmt: skip
        yield from self._condition_fields(signal.condition)
        who = {None: "all", "*": "each"}.get(signal.scope.customer, "one")
        yield ChoiceField("who", "Of", _WHO, who, is_required=True, hint="Whose usage counts")
        yield SuggestedField(
            "customer", "Customer", (signal.scope.customer or "") if who == "one" else "", hint="The customer's key"
        )
        yield ChoiceField(
            "period", "Per", _PERIODS, signal.period, is_required=True, hint="The figure begins anew with each"
        )
        yield TextField("timezone", "Time zone", signal.timezone, placeholder="UTC",
                        hint="Where the period begins: an IANA name such as Europe/Berlin, or customer: each one's own")  # fmt: skip
        yield PairsField("filter", "Only where", {name: " | ".join(v) for name, v in signal.filter.items()},
                         placeholders=("property", "value | value"), separator="|", hint="Only events with these values count")  # fmt: skip
        yield SuggestedField("group_by", "Split by", ", ".join(signal.group_by), separator=",",
                             hint="Each value of these properties is watched on its own")  # fmt: skip
        yield SuggestedField(
            "channels", "Tells", ", ".join(signal.channels), separator=",", hint="Channels, with commas"
        )
        yield ChoiceField(
            "digest", "Messages", _DIGESTS, signal.digest, is_required=True, hint="Many firings can come as one message"
        )

    def _condition_fields(self, condition: Condition) -> Iterable[FormField]:
        figures = condition.thresholds or ([condition.value] if condition.value is not None else [])
        is_threshold = condition.type == "threshold"
        yield ChoiceField("type", "When it", _TYPES, condition.type, is_required=True, hint="What makes it fire")
        yield ChoiceField("op", "Is", _OPS, condition.op or ">=", is_required=True)
        yield TextField("thresholds", "Thresholds", ", ".join(plain(each) for each in figures) if is_threshold else "",
                        placeholder="100000, or several with commas", hint="With a limit these are percent of it: 50, 80, 100")  # fmt: skip
        yield TextField("limit", "Of a limit", "" if condition.limit is None else plain(condition.limit),
                        placeholder="none", hint="What the customer may use in a period; programs ask for what is left of it")  # fmt: skip
        yield TextField("value", "By", "" if condition.value is None or is_threshold else plain(condition.value),
                        placeholder="50", hint="Against as much of the period before")  # fmt: skip
        yield ChoiceField("direction", "Goes", _DIRECTIONS, condition.direction or "any", is_required=True)
        yield TextField("floor", "Quiet below", "" if condition.floor is None else plain(condition.floor), placeholder="0",
                        hint="While both figures are below this, percent changes are no news")  # fmt: skip
        yield TextField("silence", "Silent for", duration(condition.silence_s) if condition.silence_s else "",
                        placeholder="2h", hint="A customer that sent before, and has sent nothing for so long")  # fmt: skip

    def compose_aside(self) -> Iterable[Widget]:
        """Lay out when it would have fired."""
        yield PreviewPane(self._client, self._viewer)

    async def begin(self) -> None:
        """Offer what there is to choose from."""
        self._fit_fields()
        self._offer()
        if self._before is not None:
            self.preview()

    def look_again(self) -> None:
        """Look again when it would have fired."""
        self.preview()

    @work(exclusive=True, group="offer")
    async def _offer(self) -> None:
        try:
            meters = (await self._client.ask_page("/v1/meters", item=_Meter, limit=500)).items
            channels = (await self._client.ask("/v1/channels", answer=Page[Channel])).items
        except ApplianceFailure as failure:
            self.say(f"could not list meters and channels: {failure}")
            return
        field = next(each for each in self.query(ChoiceField) if each.field_name == "meter")
        chosen = self._before.meter if self._before is not None else self._given.get("meter")
        field.offer(
            [(each.key, each.name or each.key) for each in meters], chosen or (meters[0].key if meters else None)
        )
        if not meters:
            self.say("There is no meter yet: define one first (4).")
        self._suggested("channels").known = [each.key for each in channels]
        self._suggested("group_by").known = sorted({name for each in meters for name in each.dimensions})
        # What was offered is no change of the person's.
        self.take_as_begin(field)

    @on(FormField.Changed)
    def follow(self, event: FormField.Changed) -> None:
        """Show the fields that mean something now, and look anew when it would have fired."""
        event.stop()
        self._fit_fields()
        self.preview()

    @work(exclusive=True, group="preview")
    async def preview(self) -> None:
        """Wait until the person pauses, then ask."""
        await asyncio.sleep(_PREVIEW_PAUSE_S)
        pane = self.query_one(PreviewPane)
        try:
            body = body_of(self._typed())
        except Unreadable as unreadable:
            pane.say(f"{unreadable.field_name}: {unreadable}")
            return
        await pane.ask({key: value for key, value in body.items() if key != "channels"})

    async def save(self) -> Signal:
        """Define or change the signal. Raises `ApplianceFailure`."""
        typed = self._typed()
        try:
            if self._before is not None:
                patch = patch_of(typed, filtered_before=self._before.filter)
                return await self._client.tell(
                    "PATCH", f"/v1/signals/{segment(self._before.key)}", patch, answer=Signal
                )
            return await self._client.tell("POST", "/v1/signals", {"key": typed.key, **body_of(typed)}, answer=Signal)
        except Unreadable as unreadable:
            raise Refused(str(unreadable), status=0, fields={unreadable.field_name: str(unreadable)}) from unreadable
        except Refused as refusal:
            raise _at_fields(refusal, typed.type) from refusal

    def _typed(self) -> Typed:
        states = {field.field_name: field for field in self.query(FormField)}

        def text(name: str) -> str:
            field = states.get(name)
            value = field.value if isinstance(field, TextField | ChoiceField) else None
            return value or ""

        return Typed(
            filter=cast("PairsField", states["filter"]).value,
            **{name: text(name) for name in Typed.__dataclass_fields__ if name != "filter"},
        )

    def _suggested(self, name: str) -> SuggestedField:
        return next(field for field in self.query(SuggestedField) if field.field_name == name)

    def _fit_fields(self) -> None:
        fields = {field.field_name: field for field in self.query(FormField)}
        kind = cast("ChoiceField", fields["type"]).value or "threshold"
        for name, types in _OF_TYPE.items():
            fields[name].display = kind in types
        fields["customer"].display = cast("ChoiceField", fields["who"]).value == "one"
        fields["period"].display = kind != "no_data"


def _at_fields(refusal: Refused, kind: str) -> Refused:
    """Return the refusal with the form's names for the body's fields."""
    pointers = _POINTERS if kind == "threshold" else {**_POINTERS, "condition.value": "value"}
    fields = {pointers.get(pointer, pointer.rpartition(".")[2]): words for pointer, words in refusal.fields.items()}
    return Refused(str(refusal), status=refusal.status, code=refusal.code, fields=fields)
