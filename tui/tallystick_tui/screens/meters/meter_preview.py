"""What a meter that is not saved would have counted: its figure, a small graph, its largest groups, and which events it would skip.

Asked in four questions at once; when a newer draft comes, they are given up, and the appliance stops working for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from tallystick_tui.connection import failure
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.meter import SkippedEvents, short_field
from tallystick_tui.connection.usage_answer import UsageAnswer
from tallystick_tui.texts.figures import exact, rounded, short
from tallystick_tui.texts.moments import parsed, rfc3339
from tallystick_tui.texts.sparkline import sparkline
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.time_graph import GraphKind, Series, TimeGraph

Draft = dict[str, object]
# Days, and the window of the graph.
_RANGES: Final = ((30, "day"), (90, "day"), (1, "hour"), (7, "hour"))
_GROUPS: Final = 5
_SKIPPED: Final = 100
_REASONS: Final = 3


class MeterPreview(VerticalScroll):
    """The pane."""

    DEFAULT_CSS = """
    MeterPreview { height: auto; padding: 0 1; }
    MeterPreview > Static { height: auto; }
    MeterPreview > TimeGraph { display: none; height: 16; margin-top: 1; }
    """
    can_focus = False

    class Refused(Message):
        """The appliance says that the draft is no meter yet."""

        def __init__(self, refusal: failure.Refused) -> None:
            super().__init__()
            self.refusal = refusal

    GROUPS: ClassVar[int] = _GROUPS

    def __init__(self, client: ApplianceClient, viewer: Viewer, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._client, self._viewer = client, viewer
        self._range = 0

    def compose(self) -> ComposeResult:
        """Lay out the parts."""
        yield Static(id="preview-figure", markup=False)
        yield Static(id="preview-trend", markup=False)
        yield TimeGraph(self._viewer.zone, is_plain=self._viewer.is_plain)
        yield Static(id="preview-skipped", markup=False)
        yield Static(id="preview-groups", markup=False)

    def next_range(self) -> None:
        """Look at the next range of days."""
        self._range = (self._range + 1) % len(_RANGES)

    def say(self, words: str) -> None:
        """Put words in place of figures."""
        self.remove_class("-answered")
        self.query_one("#preview-figure", Static).update(Text(words, style="dim"))
        for name in ("trend", "groups", "skipped"):
            self.query_one(f"#preview-{name}", Static).update("")

    async def ask(self, draft: Draft) -> None:
        """Ask what the draft would have counted, and show it; what cannot be answered is put into words."""
        try:
            await self._ask(draft)
        except failure.Refused as refusal:
            self.say(f"No preview yet: {refusal}")
            self.post_message(self.Refused(refusal))
        except failure.ApplianceFailure as lost:
            self.say(f"No preview: {lost}")

    async def _ask(self, draft: Draft) -> None:
        days, window = _RANGES[self._range]
        now = self._viewer.now()
        start = now - timedelta(days=days)
        if days > 1:
            # Whole days with today, as the explorer counts them: the same words have the same figure there.
            first_day = now.astimezone(self._viewer.zone) - timedelta(days=days - 1)
            start = first_day.replace(hour=0, minute=0, second=0, microsecond=0)
        span = {"from": rfc3339(start), "to": rfc3339(now)}
        by_time = {**span, "window": window, "timezone": self._viewer.zone_name, "fill": "zero"}
        dimensions = draft.get("dimensions")
        group = str(dimensions[0]) if isinstance(dimensions, list) and dimensions else "customer"  # pyright: ignore[reportUnknownArgumentType] - a list of texts
        every = {name: draft[name] for name in ("event_type", "filter") if name in draft} | {"aggregation": "count"}
        whole, groups, matching, skipped = await asyncio.gather(
            self._usage(draft, by_time),
            self._usage(draft, {**span, "group_by": [group], "limit": _GROUPS}),
            self._usage(every, span),
            self._client.tell(
                "POST",
                "/v1/meters/preview/skipped",
                {"meter": draft, "query": {**span, "limit": _SKIPPED}},
                answer=SkippedEvents,
            ),
        )
        unit = draft.get("unit")
        self._show_figure(whole, f"last {days} days" if days > 1 else "last 24 hours", str(unit) if unit else None)
        self._show_groups(groups, group)
        self._show_skipped(skipped, matching.total.events, whole.total.events)
        self.add_class("-answered")

    async def _usage(self, draft: Draft, query: Mapping[str, object]) -> UsageAnswer:
        return await self._client.tell(
            "POST", "/v1/meters/preview", {"meter": draft, "query": query}, answer=UsageAnswer
        )

    def _show_figure(self, answer: UsageAnswer, span: str, unit: str | None) -> None:
        total = answer.total
        words = Text()
        words.append(rounded(total.value, unit, decimals=6), style="bold")
        words.append(f"  {span}, from {exact(total.events)} events", style="dim")
        self.query_one("#preview-figure", Static).update(words)
        figures = [None if row.value is None else float(row.value) for row in answer.rows]
        trend = self.query_one("#preview-trend", Static)
        if self._viewer.is_plain:
            trend.update("By day: " + " ".join(short(figure) for figure in figures[-8:]))
        else:
            trend.update(sparkline(figures[-72:]))
        points = [(parsed(row.start).timestamp(), float(row.value or 0)) for row in answer.rows]
        self.query_one(TimeGraph).show([Series("preview", tuple(points))], kind=GraphKind.BARS, unit=unit or "")

    def _show_groups(self, answer: UsageAnswer, group: str) -> None:
        box = self.query_one("#preview-groups", Static)
        if not answer.totals:
            box.update(Text("No event in this range counts for it.", style="dim"))
            return
        top = max((abs(each.value) for each in answer.totals if each.value is not None), default=Decimal(0))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
        table.add_column(f"Top by {short_field(group)}", no_wrap=True, overflow="ellipsis", max_width=24)
        table.add_column("", justify="right", no_wrap=True)
        table.add_column("events", justify="right", no_wrap=True)
        if not self._viewer.is_plain:
            table.add_column("", no_wrap=True)
        for each in answer.largest:
            name = each.group.get(group)
            cells = [
                Text("(none)", style="dim") if name is None else Text(name),
                Text(rounded(each.value)),
                Text(exact(each.events)),
            ]
            if not self._viewer.is_plain:
                share = abs(each.value) / top if each.value is not None and top else Decimal(0)
                cells.append(Text("█" * round(share * 16), style="dim"))
            table.add_row(*cells)
        box.update(table)

    def _show_skipped(self, skipped: SkippedEvents, matching: int, counted: int) -> None:
        box = self.query_one("#preview-skipped", Static)
        if not skipped.items:
            box.update(Text(f"Skips none of {exact(matching)} events that match.", style="dim"))
            return
        count = matching - counted
        words = Text()
        # Levels carried in count events of before the range: then only what was listed is certain.
        many = exact(count) if count >= len(skipped.items) else f"at least {exact(len(skipped.items))}"
        words.append(f"! skips {many} of {exact(matching)} events that match:", style="bold")
        reasons: dict[str, int] = {}
        for event in skipped.items:
            for reason in event.reasons:
                reasons[reason.detail] = reasons.get(reason.detail, 0) + 1
        shown = sorted(reasons, key=lambda each: -reasons[each])
        of = "" if skipped.next_cursor is None else f" of the newest {_SKIPPED}"
        for detail in shown[:_REASONS]:
            words.append(f"\n  {reasons[detail]}{of}: {detail}")
        if len(shown) > _REASONS:
            words.append(f"\n  and {len(shown) - _REASONS} other reasons", style="dim")
        box.update(words)
