"""The five questions that every store is asked, and the one form in which their answers are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec
import polars as pl

from tests.bench.queries.month_of_events import REGIONS

TOP: int = 10
FILTERED_REGION: str = REGIONS[0]
FIGURE_TYPE = pl.Decimal(38, 12)


class Question(StrEnum):
    """What is asked of the month."""

    CUSTOMER_BY_DAY = "one customer by day"
    TOP_CUSTOMERS = "top 10 customers of the month"
    CUSTOMERS_BY_DAY = "customer x day"
    ENDPOINTS_OF_REGION = "endpoints, filtered by region"
    DISTINCT_BY_DAY = "distinct customers by day"


class Asked(msgspec.Struct, frozen=True):
    """One question; `customer` matters to the first alone."""

    question: Question
    customer: str


class Store(Protocol):
    """A store under measurement, loaded with the month. `Answer` is whatever it answers quickest."""

    def ask(self, asked: Asked) -> object:
        """Answer; this is what is timed."""
        ...

    def rows(self, asked: Asked, answer: object) -> list[tuple[object, ...]]:
        """Return the answer's rows: the group, the day (days since the epoch), the figure and the events, where the question has them."""
        ...

    def add(self, events: pl.DataFrame) -> None:
        """Take further events, and return when questions see them."""
        ...

    def memory_bytes(self) -> int:
        """Return the memory that is the store's own."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def fingerprint(rows: Sequence[tuple[object, ...]]) -> str:
    """Return what equal answers have in common: every figure to the last digit, rows in any order."""
    texts = sorted("|".join(_text(cell) for cell in row) for row in rows)
    return f"{len(texts)} rows, " + hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _text(cell: object) -> str:
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return text.rstrip("0").rstrip(".") if isinstance(cell, Decimal) and "." in text else text
