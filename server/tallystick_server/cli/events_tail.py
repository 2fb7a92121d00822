"""Following events as they land: the stream, taken up again where it broke, without showing an event twice or leaving one out.

Promises: events are shown in the order of their positions; after a lost connection the stream is asked for what came after the last one
shown. What the appliance had to leave out, because this reader was too slow, is told in a note.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from .client import PAGE_LIMIT, ApplianceClient, Page, Refused, Unreachable, decode, decode_object
from .listing import cell_of
from .printable import printable_json
from .terminal import Terminal, bare, shown

_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0)
# Widths for a person; the last two take what they need.
_COLUMNS: Final = (("time", 19), ("type", 14), ("customer", 14), ("value", 10), ("id", 0), ("properties", 0))


class Tail:
    """One following of the stream."""

    def __init__(
        self,
        client: ApplianceClient,
        terminal: Terminal,
        filters: Sequence[tuple[str, str]],
        *,
        as_json: bool,
        stop_after: int | None,
    ) -> None:
        self._client, self._terminal, self._filters = client, terminal, list(filters)
        self._as_json, self._left = as_json, stop_after
        self._position = -1
        self._older_count = 0
        self._was_open = False

    def follow(self, older_count: int) -> None:
        """Show `older_count` events that landed before, then each that lands, until interrupted or enough were shown."""
        self._older_count = older_count
        failures = 0
        while not self._is_enough:
            position = self._position
            try:
                self._follow_stream()
                reason = "the stream ended"
            except (Unreachable, Refused) as error:
                refused_for_good = isinstance(error, Refused) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR
                if refused_for_good or not self._was_open:
                    raise
                reason = str(error)
            if self._is_enough:
                return
            failures = 0 if self._position > position else failures + 1
            if failures <= 1:
                self._terminal.note(f"({reason}; connecting again)")
            time.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])

    @property
    def _is_enough(self) -> bool:
        return self._left is not None and self._left <= 0

    def _follow_stream(self) -> None:
        query = list(self._filters)
        if self._position >= 0:
            query.append(("after", str(self._position)))
        for kind, data in server_sent(self._client.stream("/v1/events/stream", query)):
            if kind == "open" and not self._was_open:
                # The stream is open before the list is read, so that nothing falls between the two.
                self._was_open = True
                self._show_older()
            elif kind == "missed":
                missed = decode_object(data.encode()).get("missed")
                self._terminal.note(f"({missed} events came too fast to show; `tallystick events list` has them)")
            elif kind == "event":
                self._show(data.encode())
            if self._is_enough:
                return

    def _show_older(self) -> None:
        if self._older_count == 0:
            return
        query = [*self._filters, ("limit", str(min(self._older_count, PAGE_LIMIT)))]
        page = decode(self._client.get("/v1/events", query), Page)
        for raw in sorted(page.items, key=lambda raw: int(decode_object(bytes(raw))["position"])):
            self._show(bytes(raw))

    def _show(self, document: bytes) -> None:
        item = decode_object(document)
        position = item.get("position")
        if not isinstance(position, int) or position <= self._position or self._is_enough:
            return
        self._position = position
        if self._left is not None:
            self._left -= 1
        out = self._terminal.out
        out.write((printable_json(document.decode()) if self._as_json else self._line(item)) + "\n")
        out.flush()

    def _line(self, item: dict[str, Any]) -> str:  # Any: decoded JSON
        for_person = self._terminal.for_person
        cells = [(cell_of(item, name, for_person=for_person), width) for name, width in _COLUMNS]
        if not for_person:
            return "\t".join(bare(cell) for cell, _ in cells)
        return "  ".join(
            f"{shown(cell):>{width}}" if name == "value" else f"{shown(cell, is_moment=name == 'time'):<{width}}"
            for (name, _), (cell, width) in zip(_COLUMNS, cells, strict=True)
        ).rstrip()


def server_sent(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield `(event, data)` of a stream of server-sent events; first `("open", "")`, once the appliance answered."""
    kind, data = "", list[str]()
    is_open = False
    for line in lines:
        if not is_open:
            is_open = True
            yield "open", ""
        name, _, value = line.partition(":")
        if not line:
            if data:
                yield kind or "message", "\n".join(data)
            kind, data = "", []
        elif name == "event":
            kind = value.removeprefix(" ")
        elif name == "data":
            data.append(value.removeprefix(" "))
