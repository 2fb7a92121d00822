"""Changing one part of the question in a dialog: each method answers with the question as it is then, or None if the person left.

What can be grouped and filtered by is asked of the appliance while the dialog is open already. Methods wait for dialogs, so they run in
workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.dialogs.choice import Choice, Offer
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts import figures, moments
from tallystick_tui.viewer import Viewer

from .answer import Dimension, Dimensions, Meter
from .date_range import DateRange, InvalidRange, Preset, zone_named
from .labels import group_value
from .question import WINDOWS_MAX, Question, Window
from .range_dialog import RangeDialog

_CUSTOM: Final = "custom"
_NOTHING: Final = ""
_AUTO: Final = "auto"
_VALUES_MAX: Final = 500
_TYPED_RANGE: Final = "2026-11-01 .. 2026-11-15"
_REMOVE: Final = "-"
_ADD: Final = "+"
CUSTOMER: Final = "customer"


class QuestionEditor:
    """The dialogs over one screen."""

    def __init__(self, screen: SectionScreen, client: ApplianceClient, viewer: Viewer) -> None:
        self._screen, self._client, self._viewer = screen, client, viewer

    async def choose_meter(self, question: Question, meters: Sequence[Meter]) -> Question | None:
        """Ask another meter the same; what it is grouped and filtered by stays."""
        offers = [Offer(meter.key, _meter_words(meter), _meter_note(meter)) for meter in meters]
        key = await self._choice(Choice("Meter", offers, chosen=question.meter, takes_typed="a key"))
        return None if key is None else replace(question, meter=key)

    async def choose_group(self, question: Question, meter: Meter) -> Question | None:
        """Group by one dimension, by several, or by none."""

        async def load() -> list[Offer]:
            found = await self._dimensions(question)
            offers = [_dimension_offer(each) for each in found if _can_be_grouped(each.name)]
            further = [each for each in found if _can_be_grouped(each.name) and each.name not in question.group_by]
            if question.group_by:
                present = " and ".join(question.group_by)
                offers += [Offer(_ADD + each.name, f"{present} and {each.name}") for each in further]
            return offers

        first = [Offer(name) for name in dict.fromkeys((CUSTOMER, *meter.dimensions))]
        offers = [Offer(_NOTHING, "nothing", "only over time"), *first]
        choice = Choice(
            "Group by",
            offers,
            load=load,
            chosen=question.group_by[0] if question.group_by else _NOTHING,
            takes_typed="a property",
        )
        name = await self._choice(choice)
        if name is None:
            return None
        if name.startswith(_ADD):
            return replace(question, group_by=(*question.group_by, name.removeprefix(_ADD)))
        return replace(question, group_by=tuple(part.strip() for part in name.split(",") if part.strip()))

    async def choose_filter(self, question: Question, meter: Meter) -> Question | None:
        """Keep the events that have a value, or take such a filter away."""
        present = [
            Offer(f"{_REMOVE}{number}", f"without {name} = {group_value(name, value)}")
            for number, (name, value) in enumerate(_pairs(question))
        ]
        known = [Offer(name) for name in dict.fromkeys((CUSTOMER, *meter.dimensions))]

        async def load() -> list[Offer]:
            return [_dimension_offer(each) for each in await self._dimensions(question)]

        offers = [*present, *known]
        name = await self._choice(Choice("Filter by", offers, load=load, takes_typed="a property"))
        if name is None:
            return None
        if present and name in {offer.value for offer in present}:
            return question.without_filter(*_pairs(question)[int(name.removeprefix(_REMOVE))])
        value = await self._choice(
            Choice(f"{name} is", load=lambda: self._values(question, name), takes_typed="a value", empty="no value yet")
        )
        return None if value is None else question.with_filter(name, value)

    async def choose_range(self, question: Question) -> Question | None:
        """Ask about another time."""
        now, zone = self._viewer.now(), zone_named(question.zone)

        def note(preset: Preset) -> str:
            span = DateRange(preset).span(now, zone)
            start = moments.as_short_as_exact(span.start, zone)
            return (
                f"from {start}"
                if DateRange(preset).is_open
                else f"{start} to {moments.as_short_as_exact(span.end, zone)}"
            )

        offers = [Offer(preset.value, preset.words, note(preset)) for preset in Preset]
        offers.append(Offer(_CUSTOM, "from … to …", "as typed"))
        chosen = question.range.preset.value if question.range.preset is not None else _CUSTOM
        answer = await self._choice(Choice("Range", offers, chosen=chosen, takes_typed=_TYPED_RANGE))
        if answer is None:
            return None
        if answer in set(Preset):
            return replace(question, range=DateRange(Preset(answer)))
        begun = question.range if answer == _CUSTOM else _range_of(answer)
        typed = await self._screen.answer_of(RangeDialog(begun, question.zone, self._viewer.now))
        return None if typed is None else replace(question, range=typed)

    async def choose_window(self, question: Question) -> Question | None:
        """Cut the range otherwise; what it has too many of is not offered."""
        try:
            asked = question.at(self._viewer.now())
        except InvalidRange:
            return None
        auto = replace(question, window=None).at(self._viewer.now()).window
        offers = [Offer(_AUTO, "as suits the range", f"now by {auto.value}")]
        for window in Window:
            count = window.count_in(asked.span)
            if count <= WINDOWS_MAX:
                note = "the range as a whole" if window is Window.TOTAL else f"about {figures.exact(count)}"
                offers.append(Offer(window.value, note=note))
        answer = await self._choice(
            Choice("Window", offers, chosen=_AUTO if question.window is None else question.window.value)
        )
        return None if answer is None else replace(question, window=None if answer == _AUTO else Window(answer))

    async def choose_zone(self, question: Question) -> Question | None:
        """Cut days and months by another zone's calendar."""
        first = dict.fromkeys((question.zone, self._viewer.zone_name, "UTC"))
        offers = [Offer(name) for name in [*first, *(name for name in _zones() if name not in first)]]
        name = await self._choice(Choice("Time zone", offers, chosen=question.zone))
        return None if name is None else replace(question, zone=name)

    async def _choice(self, choice: Choice) -> str | None:
        return await self._screen.answer_of(choice)

    async def _dimensions(self, question: Question) -> list[Dimension]:
        return (await self._looked_up(question, [("values", "3")])).items

    async def _values(self, question: Question, name: str) -> list[Offer]:
        found = await self._looked_up(question, [("name", name), ("values", str(_VALUES_MAX))])
        return [
            Offer(each.value, group_value(name, each.value), f"{figures.exact(each.events)} events")
            for dimension in found.items
            for each in dimension.values
        ]

    async def _looked_up(self, question: Question, params: list[tuple[str, str]]) -> Dimensions:
        try:
            span = question.at(self._viewer.now()).span
            params = [("from", moments.rfc3339(span.start)), ("to", moments.rfc3339(span.end)), *params]
        except InvalidRange:
            pass  # then of all time: the range is being changed, or is about to be
        return await self._client.ask(
            f"/v1/meters/{segment(question.meter)}/dimensions",
            [*params, ("include_archived", "true")],
            answer=Dimensions,
        )


def _range_of(text: str) -> DateRange:
    """Return the two moments that a text has with dots between; a single one is the start."""
    start, _, end = text.partition("..")
    return DateRange(None, start.strip(), end.strip())


def _pairs(question: Question) -> list[tuple[str, str]]:
    return [(name, value) for name, values in question.filters for value in values]


def _can_be_grouped(name: str) -> bool:
    """Whether a name can stand in a list parted by commas, as parameters and commands have it."""
    return "," not in name and name == name.strip() and not name.startswith(_ADD)


def _dimension_offer(dimension: Dimension) -> Offer:
    values = ", ".join(each.value for each in dimension.values)
    more = ", …" if dimension.distinct > len(dimension.values) else ""
    return Offer(dimension.name, note=f"{figures.exact(dimension.distinct)}: {values}{more}")


def _meter_words(meter: Meter) -> str:
    return meter.key if meter.name in {"", meter.key} else f"{meter.key} · {meter.name}"


def _meter_note(meter: Meter) -> str:
    parts = [f"{meter.aggregation} of {meter.event_type}", meter.unit, "archived" if meter.archived_at else None]
    return ", ".join(part for part in parts if part)


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return sorted(available_timezones())
