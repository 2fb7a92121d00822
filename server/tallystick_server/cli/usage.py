"""`tallystick usage`: how much was used, by window and group, every digit."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from .connection import LOCAL, Connection
from .terminal import Terminal
from .usage_question import DEFAULT_QUESTION, DEFAULT_SHOWN, Filters, OfCustomer, Question, Shown, filter_params

app = App(
    name="usage",
    help="Ask a meter how much was used.",
    help_epilogue="Examples:\n  tallystick usage tokens --last 30d --window day --by customer --top 5\n"
    "  tallystick usage tokens --last 3mo --window month --compare\n"
    "  tallystick usage tokens --last 24h --window hour --by region --chart\n"
    "  tallystick usage tokens --from 2026-11-01 --to 2026-12-01 \\\n"
    "      --timezone Europe/Berlin --group-by customer --limit 10\n"
    "  tallystick usage requests --from -1h --window minute --filter region=eu \\\n"
    "      --filter region=us --json",
)


@app.default
def usage(
    meter: Annotated[str, Parameter(name="METER", help="The meter's key.")],
    /,
    *,
    question: Question = DEFAULT_QUESTION,
    customer: OfCustomer = None,
    filters: Filters = (),
    version: Annotated[int | None, Parameter(name="--meter-version", help="An older version of the meter.")] = None,
    shown: Shown = DEFAULT_SHOWN,
    connection: Connection = LOCAL,
) -> int:
    """Ask a meter how much was used."""
    from .client import segment

    shown.check()
    # Whoever names a meter means it, archived or not.
    params = [*question.params(fill=shown.fill), *filter_params(filters, customer), ("include_archived", "true")]
    if version is not None:
        params.append(("version", str(version)))
    with connection.client() as client:
        body = client.get(f"/v1/meters/{segment(meter)}/usage", params, headers=shown.headers)
    shown.show(Terminal.of_process(), body, question)
    return 0
