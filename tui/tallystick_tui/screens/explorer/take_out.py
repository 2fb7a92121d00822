"""What leaves the explorer: an answer as a CSV file, and questions kept under a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.worker import Worker

from tallystick_tui.config.failure import ConfigFailure
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.dialogs.choice import Choice, Offer
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.texts import figures

from .csv_export import default_file, write_csv
from .date_range import zone_named
from .question import Asked
from .saved_views import KeptViews, SavedViews, View, ViewsInMemory, view_of, view_text

if TYPE_CHECKING:
    from .explorer_screen import ExplorerScreen

_SAVE: Final = "save"
_REMOVE: Final = "remove"
_TYPED: Final = "a name to save this question under"
_OPEN: Final = "open "


class TakeOut:
    """Dialogs over the explorer; they run in workers of its screen."""

    def __init__(self, screen: ExplorerScreen) -> None:
        self._screen, kept = screen, screen.viewer.kept
        self._last = ""
        self._views: SavedViews = ViewsInMemory() if kept is None else KeptViews(kept)

    def export(self) -> Worker[None]:
        """Ask for a file's name and write the answer there."""
        return self._screen.run_worker(self._export, group="export", exclusive=True)

    def views(self) -> Worker[None]:
        """Open, save or remove a view."""
        return self._screen.run_worker(self._choose_view, group="edit", exclusive=True)

    async def _export(self) -> None:
        screen, asked = self._screen, self._screen.shown
        if asked is None:
            return
        zone = zone_named(asked.question.zone)
        start, end = (f"{moment.astimezone(zone):%Y-%m-%d}" for moment in (asked.span.start, asked.span.end))
        name, words = (
            str(folder() / default_file(asked.question.meter, start, end)),
            "every row of the answer, all groups",
        )
        while True:
            typed = await screen.answer_of(TextQuestion("Write CSV", words, value=name))
            if typed is None:
                return
            name, file = typed, as_file(typed)
            if await asyncio.to_thread(file.exists) and not await screen.answer_of(
                Confirmation("Replace the file?", f"{file} is there already.", does="Replace")
            ):
                words = f"{file.name} was left as it is; give another name"
                continue
            try:
                written = await self._write(asked, file)
            except ApplianceFailure as failure:
                words = f"! {failure}"
            else:
                screen.notify(f"{file}: {figures.bytes_of(written)}", title="CSV written", markup=False)
                return

    async def _write(self, asked: Asked, file: Path) -> int:
        screen = self._screen

        def tell(done: int) -> None:
            screen.say(f"writing {file.name}: {figures.bytes_of(done)}")

        try:
            pieces = screen.client.pieces(asked.path, asked.params(with_limit=False), accept="text/csv")
            return await write_csv(pieces, file, tell)
        finally:
            screen.say("")

    async def _choose_view(self) -> None:
        screen = self._screen
        texts = await asyncio.to_thread(self._views.texts)
        views = {_OPEN + name: text for name, text in texts.items()}
        offers = [Offer(_OPEN + name, name, _note(text)) for name, text in sorted(texts.items())]
        offers.append(Offer(_SAVE, "save this question under a name …"))
        if texts:
            offers.append(Offer(_REMOVE, "remove a view …"))
        answer = await screen.answer_of(Choice("Views", offers, takes_typed=_TYPED))
        if answer in views:
            self._open(views[answer])
        elif answer == _REMOVE:
            await self._remove(texts)
        elif answer == _SAVE:
            await self._save(texts, await screen.answer_of(TextQuestion("Save view", "its name")))
        else:
            await self._save(texts, answer)

    def _open(self, text: str) -> None:
        view, screen = view_of(text), self._screen
        if view is None:
            screen.say("this view was saved by another version, and cannot be read")
            return
        screen.trail = []
        screen.show_as(view.face, view.kind)
        screen.ask(view.question)

    async def _save(self, texts: dict[str, str], name: str | None) -> None:
        screen, text = self._screen, self._present()
        if name is None:
            return
        if name in texts and not await screen.answer_of(
            Confirmation("Replace the view?", f"{name} is there already.", does="Replace")
        ):
            return
        if await self._changed(lambda: self._views.save(name, text)):
            screen.notify(name, title="View saved", markup=False)

    async def _remove(self, texts: dict[str, str]) -> None:
        screen = self._screen
        name = await screen.answer_of(Choice("Remove", [Offer(name) for name in sorted(texts)]))
        if name is not None and await self._changed(lambda: self._views.remove(name)):
            screen.notify(name, title="View removed", markup=False)

    async def last(self) -> View | None:
        """Return the view that was looked at when the dashboard last ended."""
        text = await asyncio.to_thread(self._views.last)
        return None if text is None else view_of(text)

    def remember(self) -> Worker[bool]:
        """Keep the present view for the next start."""
        self._last = self._present()
        # Whichever thread comes last writes what was looked at last.
        remember = partial(self._changed, lambda: self._views.remember(self._last))
        return self._screen.run_worker(remember, group="remember", exclusive=True)

    def _present(self) -> str:
        screen = self._screen
        return view_text(View(screen.question, screen.face, screen.graph_kind))

    async def _changed(self, change: Callable[[], None]) -> bool:
        """Make a change in a thread; a failure is said."""
        try:
            await asyncio.to_thread(change)
        except ConfigFailure as failure:
            self._screen.say(str(failure))
            return False
        return True


def as_file(typed: str) -> Path:
    """Return the file that a text names, `~` as the person's home."""
    return Path(typed).expanduser()


def folder() -> Path:
    """Return where files are put if nothing else is said: the user's downloads, else where the dashboard was started."""
    downloads = Path.home() / "Downloads"
    return downloads if downloads.is_dir() else Path.cwd()


def _note(text: str) -> str:
    view = view_of(text)
    if view is None:
        return "of another version"
    question = view.question
    by = f" by {' & '.join(question.group_by)}" if question.group_by else ""
    preset = question.range.preset
    return f"{question.meter}{by}, {preset.words if preset is not None else question.range.start}"
