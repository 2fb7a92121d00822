"""When the signal in the form would have fired over the last 90 days: a chart of the figure by period with the firings marked, and a list.

Newer questions cancel older ones, and the appliance then stops working for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.connection.fired_signal import Figures, Period
from tallystick_tui.texts import moments
from tallystick_tui.texts.figures import exact
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.time_graph import GraphKind, Mark, Series, TimeGraph, thinned

from .words import figures_in_words, subject_in_words

_LISTED: Final = 12
_DRAWN: Final = 3
_MARKS_MAX: Final = 40


class PreviewFigure(msgspec.Struct, frozen=True, kw_only=True):
    """The figure of one period, and when it would first have fired in it."""

    start: str
    end: str
    value: Decimal | None
    level: int
    fired_at: str | None


class PreviewSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One of the subjects that fired most, or have the largest figures."""

    customer: str | None
    group: dict[str, str | None]
    firings: int
    figures: list[PreviewFigure]


class PreviewStep(Figures, frozen=True, kw_only=True):
    """A step that would have been taken."""

    kind: str
    customer: str | None
    group: dict[str, str | None]
    period: Period | None
    at: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: steps, newest first, and counts of all of them."""

    firings: int
    recoveries: int
    subjects: int
    subjects_seen: int
    periods_seen: int
    thresholds: list[Decimal]
    steps: list[PreviewStep]
    top: list[PreviewSubject]


class PreviewPane(Vertical):
    """Counts, a chart, and the newest firings."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    PreviewPane { height: 1fr; min-height: 4; }
    PreviewPane > #preview-counts { height: auto; padding: 0 1; text-style: bold; }
    PreviewPane > TimeGraph { height: 1fr; display: none; }
    PreviewPane > #preview-steps { height: auto; max-height: 6; padding: 0 1; color: $secondary; }
    .-wide PreviewPane.-drawn > TimeGraph { display: block; }
    .-wide PreviewPane > #preview-steps { max-height: 14; }
    .-narrow PreviewPane { height: auto; }
    .-narrow PreviewPane > #preview-steps { max-height: 3; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__()
        self._client, self._viewer = client, viewer

    def compose(self) -> ComposeResult:
        """Lay out counts, chart and list."""
        yield Static("When it would have fired shows here, once it is defined.", id="preview-counts", markup=False)
        yield TimeGraph(self._viewer.zone, is_plain=self._viewer.is_plain)
        yield Static(id="preview-steps", markup=False)

    def say(self, words: str) -> None:
        """Put words in place of the counts."""
        self.query_one("#preview-counts", Static).update(words)
        self.query_one("#preview-steps", Static).update("")
        self.remove_class("-drawn")

    async def ask(self, definition: dict[str, object]) -> None:
        """Ask when it would have fired, and show it; what the appliance refuses stands in its own words."""
        self.query_one("#preview-counts", Static).update("looking at the last 90 days …")
        try:
            preview = await self._client.tell("POST", "/v1/signals/preview", {"signal": definition}, answer=Preview)
        except ApplianceFailure as failure:
            self.say(str(failure))
            return
        self._show(preview)

    def _show(self, preview: Preview) -> None:
        zone = self._viewer.zone
        firings = [step for step in preview.steps if step.kind == "fired"]
        times = "time" if preview.firings == 1 else "times"
        words = (
            f"In the last 90 days it would have fired {exact(preview.firings)} {times}, "
            f"for {exact(preview.subjects)} of {exact(preview.subjects_seen)}."
            if preview.subjects_seen
            else "Nothing came in the last 90 days that it would have watched."
        )
        self.query_one("#preview-counts", Static).update(words)
        self.query_one("#preview-steps", Static).update(
            "\n".join(
                f"{moments.date_and_time(moments.parsed(step.at), zone)}  {subject_in_words(step.customer, step.group)}  "
                f"{figures_in_words(step)}"
                for step in firings[:_LISTED]
            )
        )
        series = [
            Series(
                subject_in_words(subject.customer, subject.group),
                thinned([(_seconds(each.start), float(each.value or 0)) for each in subject.figures]),
            )
            for subject in preview.top[:_DRAWN]
        ]
        if series and preview.thresholds:
            first, last = _reach(series)
            series += [
                Series(f"at {exact(each)}", ((first, float(each)), (last, float(each))), is_behind=True)
                for each in preview.thresholds[-_DRAWN:]
            ]
        marks = [
            Mark(_seconds(each.start))
            for subject in preview.top[:_DRAWN]
            for each in subject.figures
            if each.fired_at is not None
        ]
        self.set_class(bool(series), "-drawn")
        # A figure is one of a whole period: a bar, where a line would say that it was half as much in between.
        self.query_one(TimeGraph).show(series, kind=GraphKind.BARS, marks=marks[:_MARKS_MAX])


def _seconds(text: str) -> float:
    return moments.parsed(text).timestamp()


def _reach(series: Sequence[Series]) -> tuple[float, float]:
    """Return from where to where bars of these series stand: each is half a step wide to both sides."""
    starts = sorted({at_s for each in series for at_s, _ in each.points}) or [0.0]
    half = min((after - before for before, after in pairwise(starts)), default=0.0) / 2
    return starts[0] - half, starts[-1] + half
