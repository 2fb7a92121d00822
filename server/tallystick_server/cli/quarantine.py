"""`tallystick quarantine`: events that were refused, kept with their reason until somebody decides."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import App, Parameter

from .asking import AsJson, Limit, Yes, sure
from .connection import LOCAL, Connection
from .failure import Failure
from .json_file import content_of
from .listing import Field, Listing, show_item
from .terminal import Terminal

app = App(
    name="quarantine",
    help="Look at refused events, send them again, or discard them.",
    help_epilogue="Examples:\n  tallystick quarantine list --code invalid_time\n"
    "  tallystick quarantine resubmit q_3f2a --file corrected.json",
)

_LISTING: Final = Listing(
    "/v1/quarantine",
    (
        Field("id", "id"),
        Field("received at", "received_at", moment=True),
        Field("code", "code"),
        Field("why", "detail"),
        Field("times seen", "times_seen", numeric=True),
        Field("content type", "content_type", for_pipes_only=True),
        Field("event", "raw", for_pipes_only=True),
    ),
    empty="Quarantine is empty: every event that came was counted, or was there before.",
)

EntryId = Annotated[str, Parameter(name="ID", help="The entry's id, as `quarantine list` shows it.")]


@app.command(
    name="list",
    help_epilogue="Examples:\n  tallystick quarantine list\n  tallystick quarantine list --code invalid_time --json",
)
def list_quarantine(
    *,
    code: Annotated[str | None, Parameter(help="Only those refused for this reason.")] = None,
    limit: Limit = 50,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """List refused events, newest first."""
    params = [] if code is None else [("code", code)]
    with connection.client() as client:
        _LISTING.show(client, Terminal.of_process(), params, limit=limit, as_json=json)
    return 0


_REASONS: Final = Listing(
    "/v1/quarantine/reasons",
    (
        Field("code", "code"),
        Field("events", "entries", numeric=True),
        Field("times seen", "times_seen", numeric=True),
        Field("newest at", "newest_at", moment=True),
        Field("oldest at", "oldest_at", moment=True),
    ),
    empty="Quarantine is empty: every event that came was counted, or was there before.",
    is_paged=False,
)


@app.command(
    name="reasons",
    help_epilogue="Examples:\n  tallystick quarantine reasons\n  tallystick quarantine reasons --json",
)
def list_reasons(*, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Count refused events by reason, most first."""
    with connection.client() as client:
        _REASONS.show(client, Terminal.of_process(), as_json=json)
    return 0


@app.command(
    name="show",
    help_epilogue="Examples:\n  tallystick quarantine show q_3f2a\n  tallystick quarantine show q_3f2a --json | jq -r .raw",
)
def show_quarantined(entry_id: EntryId, /, *, json: AsJson = False, connection: Connection = LOCAL) -> int:
    """Show one refused event: why, and as it was sent."""
    from .client import segment

    with connection.client() as client:
        body = client.get(f"/v1/quarantine/{segment(entry_id)}")
    show_item(Terminal.of_process(), body, as_json=json)
    return 0


@app.command(
    name="resubmit",
    help_epilogue="Examples:\n  tallystick quarantine resubmit q_3f2a\n"
    "  tallystick quarantine resubmit q_3f2a --file corrected.json\n"
    "  tallystick quarantine show q_3f2a --json | jq -r .raw | jq '.value = 1' \\\n"
    "      | tallystick quarantine resubmit q_3f2a --file -",
)
def resubmit_quarantined(
    entry_id: EntryId,
    /,
    *,
    file: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True, help="The corrected event as JSON (`-`: stdin); without it, as it was kept."
        ),
    ] = None,
    json: AsJson = False,
    connection: Connection = LOCAL,
) -> int:
    """Send a refused event again; it leaves quarantine once it is counted. Exit 1 if it is refused again."""
    from .client import Refused, decode_object, segment

    corrected = None if file is None else content_of(file)
    headers = None if corrected is None else {"Content-Type": "application/json"}
    path = f"/v1/quarantine/{segment(entry_id)}/resubmit"
    with connection.client() as client:
        try:
            body = client.call("POST", path, content=corrected, headers=headers)
        except Refused as refused:
            reasons = _reasons(refused.body)
            if not reasons:
                raise
            raise Failure(f"refused again: {'; '.join(reasons)}") from refused
    terminal = Terminal.of_process()
    if json:
        terminal.json(body)
    elif decode_object(body).get("accepted"):
        terminal.note("Counted; it left quarantine.")
    else:
        terminal.note("It was counted before; it left quarantine.")
    return 0


@app.command(
    name="discard",
    help_epilogue="Examples:\n  tallystick quarantine discard q_3f2a\n  tallystick quarantine discard q_3f2a --yes",
)
def discard_quarantined(entry_id: EntryId, /, *, yes: Yes = False, connection: Connection = LOCAL) -> int:
    """Give a refused event up: it leaves quarantine without being counted."""
    from .client import segment

    sure(f"Discard {entry_id!a}? It will never be counted.", yes=yes)
    with connection.client() as client:
        client.call("DELETE", f"/v1/quarantine/{segment(entry_id)}")
    Terminal.of_process().note(f"Discarded {entry_id}.")
    return 0


def _reasons(body: bytes) -> list[str]:
    import msgspec

    from .intake.delivery import IngestReply

    try:
        reply = msgspec.json.decode(body, type=IngestReply)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [f"{one.code}: {one.detail}" for one in reply.rejected]
