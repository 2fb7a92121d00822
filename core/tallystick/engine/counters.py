"""What the engine has done since it was opened, as plain numbers for metrics. Written by the writer's thread, read by any."""

from __future__ import annotations


class Counters:
    """Counts and sums that only grow."""

    def __init__(self) -> None:
        self.accepted = 0
        self.duplicates = 0
        self.conflicts = 0
        self.rejected = 0
        self.commits = 0
        self.commit_ns = 0
        self.commit_failures = 0
        self.checkpoints = 0
        self.merges = 0
        self.background_failures = 0

    def as_dict(self) -> dict[str, int]:
        """Return every number by its name."""
        return dict(vars(self))
