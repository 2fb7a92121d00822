"""`tallystick preview`: what a meter would have counted, without saving it."""

from __future__ import annotations

from cyclopts import App

from .connection import LOCAL, Connection
from .meter_fields import NO_FIELDS, MeterFields
from .terminal import Terminal
from .usage_question import DEFAULT_QUESTION, DEFAULT_SHOWN, Question, Shown

app = App(
    name="preview",
    help="Ask a meter that is not saved what it would have counted.",
    help_epilogue="Examples:\n"
    "  tallystick preview --event-type call --aggregation unique --field customer \\\n"
    "      --last 24h --window hour\n"
    "  tallystick preview --event-type call --aggregation sum \\\n"
    "      --field properties.ms --filter status=500 --by region --top 5\n"
    "  tallystick preview --file meter.json --last 7d --window day --chart",
)


@app.default
def preview(
    *,
    meter: MeterFields = NO_FIELDS,
    question: Question = DEFAULT_QUESTION,
    shown: Shown = DEFAULT_SHOWN,
    connection: Connection = LOCAL,
) -> int:
    """Ask a meter that is not saved what it would have counted."""
    shown.check()
    sent = {"meter": {"key": "preview", "name": "preview"} | meter.whole(), "query": question.body(fill=shown.fill)}
    with connection.client() as client:
        body = client.call("POST", "/v1/meters/preview", json=sent, headers=shown.headers)
    shown.show(Terminal.of_process(), body, question)
    return 0
