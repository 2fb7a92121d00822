"""One thin line while the appliance does not answer; gone as soon as it does."""

from __future__ import annotations

from textual.reactive import reactive
from textual.widgets import Static


class ConnectionBanner(Static):
    """Says what failed, and that it is being tried again. `words` empty: all is well, nothing is shown."""

    DEFAULT_CSS = """
    ConnectionBanner {
        height: auto; max-height: 2; display: none; padding: 0 1; background: $error 30%; color: $foreground; text-style: bold;
    }
    ConnectionBanner.-lost { display: block; }
    """

    words: reactive[str] = reactive("")

    def __init__(self) -> None:
        # What it says may come from outside.
        super().__init__(markup=False)

    def watch_words(self, words: str) -> None:
        """Show or hide."""
        self.set_class(bool(words), "-lost")
        # That it is tried again comes first: it is what must not be cut off where it is narrow.
        self.update(f"! trying again: {words}" if words else "")
