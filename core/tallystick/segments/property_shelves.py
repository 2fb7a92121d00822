"""Which properties have a column of their own after a merge, and moving the others between the columns and `rest`.

Mostly there is nothing to move: all inputs together have few names. Rows are moved one distinct combination at a
time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from tallystick.usage.event_frames import PROPERTY_PREFIX

from .property_texts import most_frequent, rest_text
from .segment_file import SegmentFile
from .segment_layout import CORE_COLUMNS, REST, promoted_names

_TEXTS = msgspec.json.Decoder(dict[str, str])
_ROWS_AT_ONCE = 16_384


class Shelves:
    """The promoted names of the outputs of one merge, sorted."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._columns = [*CORE_COLUMNS, *(PROPERTY_PREFIX + name for name in self.names), REST]

    @classmethod
    def choose(cls, files: Sequence[SegmentFile]) -> Shelves:
        """Choose the names that most rows have, among those with a column in an input."""
        names = sorted({name for file in files for name in file.entry.properties})
        if promoted_names(names) == tuple(names):
            return cls(names)
        counts: Counter[str] = Counter()
        for file in files:
            columns = [pl.col(PROPERTY_PREFIX + name).count().alias(name) for name in file.entry.properties]
            counts.update(file.scan().select(columns).collect(engine="streaming").row(0, named=True))
        return cls(promoted_names(most_frequent(counts, len(counts))))

    def arrange(self, file: SegmentFile, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of one input with the columns of the outputs."""
        demoted = [PROPERTY_PREFIX + name for name in file.entry.properties if name not in self.names]
        missing = [name for name in self.names if name not in file.entry.properties]
        rows = rows.with_columns([pl.lit(None, dtype=pl.String).alias(PROPERTY_PREFIX + name) for name in missing])
        if demoted or (missing and file.entry.has_rest):
            rows = pl.concat([rows[:0], *(self._moved(piece, demoted) for piece in rows.iter_slices(_ROWS_AT_ONCE))])
        return rows.select(self._columns)

    def _moved(self, rows: pl.DataFrame, demoted: Sequence[str]) -> pl.DataFrame:
        """Move demoted texts into the rest, and promoted names out of it."""
        taken = [*demoted, REST]
        numbered = rows.with_row_index("row")
        concerned = numbered.filter(~pl.all_horizontal(pl.col(taken).is_null()))
        columns: dict[str, list[str | None]] = {PROPERTY_PREFIX + name: [] for name in self.names}
        rests: list[str | None] = []
        for combination in concerned.select(taken).iter_rows(named=True):
            texts = _texts(combination)
            for name in self.names:
                columns[PROPERTY_PREFIX + name].append(texts.pop(name, None))
            rests.append(rest_text(texts))
        moved = pl.DataFrame(
            [concerned["row"], *(pl.Series(name, texts, dtype=pl.String) for name, texts in columns.items())]
        )
        added = numbered.select("row").join(moved, on="row", how="left", maintain_order="left")
        rest = pl.DataFrame([concerned["row"], pl.Series(REST, rests, dtype=pl.String)])
        new_rest = numbered.select("row").join(rest, on="row", how="left", maintain_order="left")[REST]
        return rows.with_columns([rows[name].fill_null(added[name]) for name in columns]).with_columns(new_rest)


def _texts(combination: dict[str, Any]) -> dict[str, str]:  # Any: a row of nullable strings
    rest = combination.pop(REST)
    texts = _TEXTS.decode(rest) if rest is not None else {}
    texts.update({name.removeprefix(PROPERTY_PREFIX): text for name, text in combination.items() if text is not None})
    return texts
