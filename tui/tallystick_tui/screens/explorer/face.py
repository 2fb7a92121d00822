"""As what an answer is shown."""

from __future__ import annotations

from enum import StrEnum


class Face(StrEnum):
    """Table, graph, or both where there is room (otherwise the table)."""

    BOTH = "both"
    TABLE = "table"
    GRAPH = "graph"
