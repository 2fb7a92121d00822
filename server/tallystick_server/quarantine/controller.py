"""Quarantine: look at what was refused, send it again once corrected, or give it up."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from tallystick.api_key import ApiKey, Scope
from tallystick.event_batch import EventBatch
from tallystick.rejection import Code
from tallystick.store import IngestAnswer, QuarantinedEvent, Store
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.event_decoding import EventDecoding, checked_encoding
from tallystick_server.events.schemas import IngestOut, ingest_out
from tallystick_server.ingest_answer import all_rejected_response
from tallystick_server.parameters import Cursor, Limit
from tallystick_server.problem import Refusal

from .schemas import QuarantinedOut, QuarantineOut, QuarantineReasonsOut, quarantined_out, reasons_out


class QuarantineController(Controller):
    """Events that were refused."""

    path = "/v1/quarantine"
    tags = ("Quarantine",)

    @get("/", operation_id="listQuarantine", summary="List refused events", opt=allowed(Scope.READ))
    async def page(
        self,
        access: Access,
        code: Annotated[
            Code | None, QueryParameter(name="code", description="Only those refused for this reason.")
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> QuarantineOut:
        """List refused events, newest first, each with its reason and as it was sent."""
        page = await access.read(lambda store: store.quarantine(limit=limit, cursor=cursor, code=code))
        return QuarantineOut([quarantined_out(entry) for entry in page.items], page.next_cursor)

    @get("/reasons", operation_id="countQuarantine", summary="Count refused events", opt=allowed(Scope.READ))
    async def reasons(self, access: Access) -> QuarantineReasonsOut:
        """Count the refused events by reason, most first.

        Of a very long list the newest are looked at: `counted` of `entries`, 20,000 or as many as 64 MiB hold.
        """
        return reasons_out(await access.read(lambda store: store.quarantine_reasons()))

    @get("/{entry_id:str}", operation_id="getQuarantined", summary="Show a refused event", opt=allowed(Scope.READ, 404))
    async def show(self, entry_id: FromPath[str], access: Access) -> QuarantinedOut:
        """Show one refused event."""
        return quarantined_out(await access.read(lambda store: store.quarantined(entry_id)))

    @delete(
        "/{entry_id:str}",
        operation_id="discardQuarantined",
        summary="Give a refused event up",
        opt=allowed(Scope.ADMIN, 404),
    )
    async def discard(self, entry_id: FromPath[str], access: Access) -> None:
        """Take a refused event out of quarantine without counting it."""
        await access.read(lambda store: store.discard_quarantined(entry_id))

    @post(
        "/{entry_id:str}/resubmit",
        operation_id="resubmitQuarantined",
        summary="Send a refused event again",
        opt=allowed(Scope.INGEST, 404, 413, 415),
        status_code=200,
    )
    async def resubmit(
        self,
        entry_id: FromPath[str],
        request: Request[None, ApiKey, State],
        access: Access,
        decoding: NamedDependency[EventDecoding],
    ) -> Response[IngestOut]:
        """Send the corrected event, in any form that ingest takes; without a body, the event as it was kept is tried again.

        Answers as ingest does. The entry leaves quarantine when the event is accepted or a duplicate, and stays when it is refused again.
        """
        entry = await access.read(lambda store: store.quarantined(entry_id))
        batch = await _one_event(await request.body(), request, entry, decoding)

        def submit(store: Store) -> IngestAnswer:
            answer = store.ingest(batch)
            if answer.accepted or answer.duplicates:
                store.discard_quarantined(entry_id)
            return answer

        if batch.rejected:
            # It is in quarantine already: refused again here, it needs no second entry.
            answer = IngestAnswer(0, 0, 0, [rejected.rejected for rejected in batch.rejected])
        else:
            answer = await access.read(submit)
        if answer.rejected:
            return all_rejected_response(answer, request.state.get("request_id"))
        return Response(ingest_out(answer))


async def _one_event(
    body: bytes, request: Request[None, ApiKey, State], entry: QuarantinedEvent, decoding: EventDecoding
) -> EventBatch:
    media_type = request.headers.get("content-type", "application/json") if body else entry.content_type
    encoding = checked_encoding(request.headers.get("content-encoding", "").encode("latin-1")) if body else b""
    batch = await decoding.decode_in_thread(body or entry.raw, media_type, encoding)
    count = len(batch) + len(batch.rejected)
    if count != 1:
        raise Refusal(400, "not_one_event", f"the body holds {count} events: send the one that corrects the entry")
    return batch
