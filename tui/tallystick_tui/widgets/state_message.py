"""What stands in the middle of a screen in place of its content.

That it is loading; that there is nothing yet, and what to do next; or what failed, in the appliance's own words.
"""

from __future__ import annotations

from textual.widgets import Static


class StateMessage(Static):
    """Some lines in the middle; hidden while there is content."""

    DEFAULT_CSS = """
    StateMessage { height: 1fr; content-align: center middle; text-align: center; padding: 0 2; display: none; }
    StateMessage.-shown { display: block; }
    """

    def __init__(self) -> None:
        # What it says may come from outside.
        super().__init__(id="state", markup=False)

    def say(self, words: str) -> None:
        """Show words."""
        self.update(words)
        self.add_class("-shown")

    def hide(self) -> None:
        """Give way to the content."""
        self.remove_class("-shown")
