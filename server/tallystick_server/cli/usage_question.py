"""The options by which `usage` and `preview` ask: which range, cut how, by whom, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Group, Parameter

from .asking import From, To, assignments, at_least_one, listed, range_params, without_none
from .failure import BadUse
from .last import LAST_HELP

if TYPE_CHECKING:
    from .terminal import Terminal

_QUESTION: Final = Group("Question", sort_key=10)
_SHOWN: Final = Group("Output", sort_key=20)

Window = Annotated[
    Literal["minute", "hour", "day", "week", "month", "total"],
    Parameter(name=["--window", "-w"], help="How the range is cut; weeks start on Monday."),
]
GroupBy = Annotated[
    tuple[str, ...],
    Parameter(name=["--group-by", "--by", "-g"], help="`customer` or a property; repeat it, or use commas."),
]

Filters = Annotated[
    tuple[str, ...],
    Parameter(name=["--filter", "-f"], help="name=value; repeatable, values of one name are alternatives."),
]
OfCustomer = Annotated[
    str | None, Parameter(name=["--customer", "-c"], help="Only this customer, as --filter customer=... says too.")
]


@Parameter(name="*", group=_QUESTION)
@dataclass(frozen=True)
class Question:
    """What is asked; without a range, the last 30 days to the second."""

    start: From = None
    end: To = None
    last: Annotated[
        str | None,
        Parameter(name="--last", help=f"The newest {LAST_HELP}, in whole units, instead of --from and --to."),
    ] = None
    window: Window = "total"
    timezone: Annotated[
        str, Parameter(help="IANA zone in which dates and times without an offset are read, and windows are cut.")
    ] = "UTC"
    group_by: GroupBy = ()
    order: Annotated[Literal["desc", "asc"], Parameter(help="Largest or smallest groups first.")] = "desc"
    limit: Annotated[
        int | None, Parameter(name=["--limit", "--top", "-l"], help="Only so many groups.", validator=at_least_one)
    ] = None
    fill: Annotated[Literal["none", "zero"], Parameter(help="`zero`: a row for every window of every group.")] = "none"
    compare: Annotated[bool, Parameter(name="--compare", help="Beside the period before, with the change.")] = False
    as_of: Annotated[int | None, Parameter(help="A log position: the answer as it was known then.")] = None

    @property
    def names(self) -> list[str]:
        """Return what is grouped by."""
        return listed(self.group_by)

    def params(self, *, fill: str | None = None) -> list[tuple[str, str]]:
        """Return the question as the API's parameters. Raises `BadUse`."""
        params = [*self._range(), ("window", self.window), ("timezone", self.timezone)]
        if self.names:
            params.append(("group_by", ",".join(self.names)))
        params += [("order", self.order), ("fill", fill or self.fill)]
        params += [("compare", "previous")] if self.compare else []
        params += [("limit", str(self.limit))] if self.limit is not None else []
        params += [("as_of", str(self.as_of))] if self.as_of is not None else []
        return params

    def body(self, *, fill: str | None = None) -> dict[str, object]:
        """Return the question as a body holds it. Raises `BadUse`."""
        body: dict[str, object] = dict(self.params(fill=fill))
        return body | without_none({"group_by": self.names or None, "limit": self.limit, "as_of": self.as_of})

    def _range(self) -> list[tuple[str, str]]:
        if self.last is None:
            return range_params(self.start or "-30d", self.end, self.timezone)
        if self.start is not None or self.end is not None:
            raise BadUse("--last is a range of its own: give it without --from and --to")
        from tallystick.instant import format_instant
        from tallystick_server.present import SystemClock

        from .last import parse_last
        from .moment import zone_of

        start, end = parse_last(self.last, now=SystemClock().now(), zone=zone_of(self.timezone))
        return [("from", format_instant(start)), ("to", format_instant(end))]


@Parameter(name="*", group=_SHOWN)
@dataclass(frozen=True)
class Shown:
    """How the answer is shown; without any of these as tables."""

    totals: Annotated[bool, Parameter(name="--totals", help="Only the totals of the range.")] = False
    chart: Annotated[bool, Parameter(name="--chart", help="Columns over time, a chart for each group.")] = False
    csv: Annotated[bool, Parameter(name="--csv", help="The rows as CSV, as the API writes it.")] = False
    json: Annotated[bool, Parameter(name="--json", help="Answer the API's own JSON, every digit kept.")] = False

    def check(self) -> None:
        """Raise `BadUse` where two of them exclude each other."""
        chosen = [f"--{name}" for name in ("totals", "chart", "csv", "json") if getattr(self, name)]
        if len(chosen) > 1:
            raise BadUse(f"{' and '.join(chosen[:2])} exclude each other: give one of them")

    @property
    def headers(self) -> dict[str, str] | None:
        """Return what the request says of the form it wants."""
        return {"Accept": "text/csv"} if self.csv else None

    @property
    def fill(self) -> str | None:
        """Return how empty windows must be asked for: a chart leaves no time out."""
        return "zero" if self.chart else None

    def show(self, terminal: Terminal, body: bytes, question: Question) -> None:
        """Write the answer."""
        if self.csv:
            terminal.out.write(body.decode())
        elif self.json:
            terminal.json(body)
        elif self.chart:
            from .usage_chart import show_chart

            show_chart(terminal, body, zone_name=question.timezone)
        else:
            from .usage_table import show_usage

            show_usage(terminal, body, zone_name=question.timezone, totals_only=self.totals)


DEFAULT_QUESTION: Final = Question()
DEFAULT_SHOWN: Final = Shown()


def filter_params(filters: tuple[str, ...], customer: str | None) -> list[tuple[str, str]]:
    """Return what `--filter` and `--customer` ask for as the API's parameters. Raises `BadUse`."""
    pairs = [*assignments("--filter", filters), *([] if customer is None else [("customer", customer)])]
    return [(f"filter[{name}]", value) for name, value in pairs]
