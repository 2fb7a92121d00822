"""One line above content that could not be refreshed, or that says why something was not done."""

from __future__ import annotations

from textual.widgets import Static


class FailureLine(Static):
    """Hidden while there is nothing to say."""

    DEFAULT_CSS = """
    FailureLine { height: auto; max-height: 3; background: $warning 25%; color: $foreground; padding: 0 1; display: none; }
    FailureLine.-shown { display: block; }
    """

    def __init__(self) -> None:
        # What it says may come from outside.
        super().__init__(markup=False)

    def say(self, words: str) -> None:
        """Show the words; an empty text hides the line."""
        self.set_class(bool(words), "-shown")
        self.update(f"! {words}" if words else "")
