"""A meter, new or changed, with what it would have counted beside it before anything is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.connection.meter import Aggregator, Meter
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.choice_field import ChoiceField
from tallystick_tui.widgets.form_field import FormField, TextField
from tallystick_tui.widgets.pairs_field import PairsField
from tallystick_tui.widgets.suggested_field import SuggestedField

from .event_samples import NO_SAMPLES, EventSamples, ask_samples
from .listed_texts import listed, unlisted
from .meter_preview import MeterPreview
from .option_fields import option_fields, options_of

_TYPING_PAUSE_S = 0.25
_STATISTICS = (
    ("peak", "peak: the highest level"),
    ("low", "low: the lowest level"),
    ("closing", "closing: the level at the end"),
    ("average", "average: weighted by time"),
)
Body = dict[str, object]


class MeterForm(FormScreen[Meter]):
    """The form; answers the meter as it was saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "range", "Range", key_display="^t", tooltip="Look at more or fewer days in the preview"),
    ]
    DEFAULT_CSS = """
    MeterForm #options { height: auto; }
    MeterForm.-wide MeterPreview { height: 1fr; padding: 1 2; }
    MeterForm.-wide MeterPreview.-answered > TimeGraph { display: block; }
    MeterForm.-wide MeterPreview > #preview-trend { display: none; }
    MeterForm.-wide MeterPreview > #preview-groups, MeterForm.-wide MeterPreview > #preview-skipped { margin-top: 1; }
    """

    def __init__(
        self,
        client: ApplianceClient,
        viewer: Viewer,
        aggregators: Sequence[Aggregator],
        meter: Meter | None = None,
        *,
        known_types: Sequence[str] = (),
    ) -> None:
        super().__init__("New meter" if meter is None else f"Change {meter.key}")
        self._client, self._viewer, self._meter = client, viewer, meter
        self._aggregators = {each.name: each for each in aggregators if each.error is None}
        self._known_types = list(known_types)
        self._samples: EventSamples = NO_SAMPLES
        self._sampled_type: str | None = None
        self._option_fields: list[FormField] = []
        self._is_watched = False

    def compose_fields(self) -> Iterable[Widget]:
        """Lay out the fields."""
        meter = self._meter
        if meter is None:
            yield TextField(
                "key", "Key", hint="Its name in the API; stays for ever. A-Z a-z 0-9 _ . -", is_required=True
            )
        yield TextField(
            "name", "Name", "" if meter is None else meter.name, hint="What people call it; its key if empty."
        )
        yield SuggestedField(
            "event_type", "Event type", meter.event_type if meter else "", known=self._known_types,
            hint="Which events it looks at. Down lists the types of the newest events.", is_required=True,
        )  # fmt: skip
        choices = [(each.name, f"{each.name}: {each.summary}") for each in self._aggregators.values()]
        yield ChoiceField(
            "aggregation", "Aggregation", choices, meter.aggregation if meter else "sum", is_required=True,
            hint="What it does with them. Enter opens the list; plugins' are in it.",
        )  # fmt: skip
        yield SuggestedField(
            "field", "Field", "" if meter is None or meter.field == "value" else meter.field, placeholder="value",
            hint="What it reads of an event: value (if empty), customer or properties.NAME.",
        )  # fmt: skip
        yield SuggestedField(
            "fields", "Several fields", listed(meter.fields) if meter else "", separator=",",
            hint="In place of one field: combinations of these are counted, separated by commas.",
        )  # fmt: skip
        yield PairsField(
            "filter", "Filter", {name: listed(values) for name, values in (meter.filter if meter else {}).items()},
            placeholders=("property", "value, value"), separator=",",
            hint="Only events that pass: every line must hold; values of a line, by commas, are alternatives.",
        )  # fmt: skip
        yield TextField(
            "unit", "Unit", (meter.unit or "") if meter else "", hint="What one of it is: token, GiB, request."
        )
        yield SuggestedField(
            "dimensions", "Dimensions", listed(meter.dimensions) if meter else "", separator=",",
            hint="Properties worth grouping by, separated by commas.",
        )  # fmt: skip
        yield SuggestedField(
            "series", "Series", (meter.series or "") if meter else "",
            hint="The property whose values are levels of their own, such as subscription or host.",
        )  # fmt: skip
        yield TextField(
            "timeout", "Timeout", str(meter.timeout) if meter and meter.timeout else "", placeholder="none: it stays",
            hint="Seconds without an event after which a level falls to 0.",
        )  # fmt: skip
        yield ChoiceField(
            "statistic", "Statistic", _STATISTICS, meter.statistic if meter else None, prompt="peak",
            hint="What of a window's level is its figure.",
        )  # fmt: skip
        yield Vertical(id="options")

    def compose_aside(self) -> Iterable[Widget]:
        """Lay out the preview."""
        yield MeterPreview(self._client, self._viewer, id="preview")

    async def begin(self) -> None:
        """Show the fields that the aggregation has, and look what there is in the data."""
        await self._fit_aggregation()
        self._suggest("")

    def look_again(self) -> None:
        """Look again what it would have counted."""
        self._preview()

    def action_range(self) -> None:
        """Look at another range of days."""
        self.query_one(MeterPreview).next_range()
        self._preview()

    def on_form_field_changed(self, event: FormField.Changed) -> None:
        """Fit the form to what was chosen, and ask anew what it would have counted."""
        event.stop()
        if not self._is_watched:
            return
        if event.field.field_name == "aggregation":
            self._change_aggregation()
        if event.field.field_name == "event_type":
            self._suggest(self._text("event_type"))
        self._preview()

    async def save(self) -> Meter:
        """Define the meter, or change it."""
        body = self.body()
        if self._meter is None:
            given = {name: value for name, value in body.items() if value not in (None, [], {})}
            return await self._client.tell("POST", "/v1/meters", given, answer=Meter)
        # A merge patch goes name by name: what is no longer there is cleared.
        for name, before in (("filter", self._meter.filter), ("options", self._meter.options)):
            now = body[name]
            body[name] = {**dict.fromkeys(before), **now} if isinstance(now, dict) else now
        path = f"/v1/meters/{segment(self._meter.key)}"
        return await self._client.tell("PATCH", path, body, answer=Meter)

    def body(self) -> Body:
        """Return what the fields say, as the appliance takes it; null for what the aggregation does not have."""
        aggregator = self._aggregator()
        has = set(aggregator.options) if aggregator else set[str]()
        fields = unlisted(self._text("fields")) if "fields" in has else []
        timeout = self._text("timeout")
        body: Body = {
            "event_type": self._text("event_type"),
            "aggregation": self._choice("aggregation"),
            "field": self._text("field") or None,
            "fields": fields,
            "filter": {name: unlisted(values) for name, values in self._pairs().items()},
            "unit": self._text("unit") or None,
            "dimensions": unlisted(self._text("dimensions")),
            "series": (self._text("series") or None) if "series" in has else None,
            "timeout": (int(timeout) if timeout.isascii() and timeout.isdigit() else timeout or None)
            if "timeout" in has
            else None,
            "statistic": self._choice("statistic") if "statistic" in has else None,
            "options": options_of(self._option_fields, aggregator.options_schema or {}) if aggregator else {},
        }
        name = self._text("name")
        if self._meter is None:
            body["key"] = self._text("key")
        if name or self._meter is not None:
            body["name"] = name or (self._meter.key if self._meter else None)
        return body

    @on(MeterPreview.Refused)
    def put_at_field(self, event: MeterPreview.Refused) -> None:
        """Put what the appliance says of the draft at the field it is about, without moving the focus."""
        event.stop()
        for pointer, words in event.refusal.fields.items():
            field = self._field_at(pointer)
            if field is not None:
                field.fail(words, once_left=True)

    @work(exclusive=True, group="aggregation")
    async def _change_aggregation(self) -> None:
        await self._fit_aggregation()
        self._preview()

    async def _fit_aggregation(self) -> None:
        """Show the fields that the chosen aggregation has."""
        aggregator = self._aggregator()
        has = set(aggregator.options) if aggregator else set[str]()
        for field in self.query(FormField):
            if field.field_name in ("fields", "series", "timeout", "statistic"):
                field.display = field.field_name in has
        schema = aggregator.options_schema if aggregator and "options" in has else None
        present = (
            self._meter.options if self._meter and aggregator and self._meter.aggregation == aggregator.name else {}
        )
        names = [each.field_name for each in self._option_fields]
        fields = option_fields(schema, present) if schema else []
        if [each.field_name for each in fields] == names and not present:
            return
        self._option_fields = fields
        box = self.query_one("#options", Vertical)
        await box.remove_children()
        await box.mount_all(fields)

    def started(self) -> None:
        """Look what it would count, from now on with every change."""
        self._is_watched = True
        self._preview()

    @work(exclusive=True, group="preview")
    async def _preview(self) -> None:
        """Ask what the draft would have counted, once nothing was typed for a moment; what was asked before is given up."""
        preview = self.query_one(MeterPreview)
        await asyncio.sleep(_TYPING_PAUSE_S)
        draft = {name: value for name, value in self.body().items() if value not in (None, [], {}, "")}
        draft.pop("key", None)
        if "event_type" not in draft:
            preview.say("Type an event type to see what the meter would have counted.")
            return
        await preview.ask(draft)

    @work(exclusive=True, group="suggest")
    async def _suggest(self, event_type: str) -> None:
        """Look which types, properties and values the newest events have."""
        await asyncio.sleep(_TYPING_PAUSE_S)
        event_type = event_type or self._text("event_type")
        if self._sampled_type == event_type:
            return
        try:
            if self._sampled_type is None:
                every = await ask_samples(self._client)
                self._known_types = list(dict.fromkeys([*every.types, *self._known_types]))
                self._known("event_type", self._known_types)
                self._samples = every
            if event_type:
                self._samples = await ask_samples(self._client, event_type)
        except ApplianceFailure:
            return  # suggestions are no promise, and the preview says what failed
        self._sampled_type = event_type
        samples = self._samples
        self._known("field", samples.fields)
        self._known("fields", samples.fields)
        for name in ("dimensions", "series"):
            self._known(name, samples.properties)
        filters = self.query_one(PairsField)
        filters.known_texts = lambda name: samples.values.get(name, ())
        filters.known = ["customer", *samples.properties]

    def _known(self, name: str, texts: Sequence[str]) -> None:
        for field in self.query(SuggestedField):
            if field.field_name == name:
                field.known = texts

    def _aggregator(self) -> Aggregator | None:
        return self._aggregators.get(self._choice("aggregation") or "")

    def _text(self, name: str) -> str:
        return next((field.value for field in self.query(TextField) if field.field_name == name), "")

    def _choice(self, name: str) -> str | None:
        return next((field.value for field in self.query(ChoiceField) if field.field_name == name), None)

    def _pairs(self) -> dict[str, str]:
        return self.query_one(PairsField).value
