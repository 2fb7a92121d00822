"""How many bytes of request bodies the appliance holds at once, over all connections.

Promises: past the limit a further piece of a body is refused with 503, so that memory is bounded whatever is sent, by however many.
Counts what has arrived, not what was announced: a sender that announces 16 MiB and sends nothing takes nothing.
"""

from __future__ import annotations

from .asgi import Message, Receive
from .problem import Refusal, busy


class BodyBudget:
    """A count of bytes; the event loop's only, so it needs no lock."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.taken_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Count bytes that arrived. Raises `Refusal` (503), and counts nothing, when there is no room."""
        if self.taken_bytes + size_bytes > self._bytes_max:
            raise busy("too many request bodies are in flight")
        self.taken_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Count bytes that are done with."""
        self.taken_bytes -= size_bytes


class SenderGone(Exception):
    """The sender closed the connection before its body was whole; there is nobody to answer."""


class ArrivingBody:
    """One request's body on its way in, counted in the budget until it is released."""

    def __init__(self, budget: BodyBudget, *, bytes_max: int) -> None:
        self._budget, self._bytes_max = budget, bytes_max
        self._taken_bytes = 0

    async def read(self, receive: Receive) -> bytes:
        """Return the whole body. Raises `Refusal` (413, 503), `SenderGone`."""
        first, is_last = self.take(await receive())
        if is_last:
            return first  # one piece, as small requests are
        pieces = [first]
        while not is_last:
            piece, is_last = self.take(await receive())
            pieces.append(piece)
        return b"".join(pieces)

    def take(self, message: Message) -> tuple[bytes, bool]:
        """Count one piece; return it, and whether it is the last. Raises as `read`."""
        if message["type"] != "http.request":
            raise SenderGone
        piece: bytes = message.get("body", b"")
        if self._taken_bytes + len(piece) > self._bytes_max:
            raise body_too_large(self._bytes_max)
        self._budget.take(len(piece))
        self._taken_bytes += len(piece)
        return piece, not message.get("more_body", False)

    def release(self) -> None:
        """Give back what was taken; idempotent."""
        self._budget.give_back(self._taken_bytes)
        self._taken_bytes = 0


def body_too_large(bytes_max: int) -> Refusal:
    """Return the refusal of a body over its limit, which ends the connection: the rest of the body is not awaited."""
    return Refusal(413, "body_too_large", f"the body is larger than {bytes_max} bytes", headers={"connection": "close"})


def body_too_slow(timeout_s: int) -> Refusal:
    """Return the refusal of a body that took too long."""
    return Refusal(
        408, "body_too_slow", f"the body did not arrive within {timeout_s} s", headers={"connection": "close"}
    )
