"""The options that describe a signal, the same for creating, changing and trying one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from cyclopts import Group, Parameter

from .asking import assignments, grouped, listed, without_none
from .failure import BadUse
from .json_file import json_object

_WATCHED: Final = Group("What is watched", sort_key=5)
_CONDITION: Final = Group("When it fires", sort_key=6)
_TOLD: Final = Group("Who is told", sort_key=7)
_NUMBERS: Final = "comma-separated or repeated: a level for each"

Json = dict[str, Any]  # Any: JSON that the appliance checks
Texts = tuple[str, ...]


@Parameter(name="*", group=_WATCHED)
@dataclass(frozen=True)
class Watched:
    """The figure, and whose."""

    meter: Annotated[str | None, Parameter(name=["--meter", "-m"], help="The meter whose figure is watched.")] = None
    customer: Annotated[
        str | None, Parameter(name=["--customer", "-c"], help="One customer; without it and --each, all together.")
    ] = None
    each: Annotated[bool, Parameter(name="--each", help="Each customer on its own.")] = False
    signal_filter: Annotated[
        Texts, Parameter(name=["--filter", "-f"], help="property=value; values of one property are alternatives.")
    ] = ()
    group_by: Annotated[
        Texts, Parameter(name=["--group-by", "--by", "-g"], help="Each value of these properties on its own.")
    ] = ()
    period: Annotated[
        Literal["hour", "day", "week", "month"] | None, Parameter(help="The calendar period of the figure.")
    ] = None
    timezone: Annotated[str | None, Parameter(help="The calendar's IANA zone, or `customer`: each one's own.")] = None

    def given(self) -> Json:
        """Return the fields that were given. Raises `BadUse`."""
        if self.each and self.customer is not None:
            raise BadUse("--each and --customer exclude each other: give one of them")
        customer = "*" if self.each else self.customer
        return without_none(
            {
                "meter": self.meter,
                "scope": None if customer is None else {"customer": customer},
                "filter": grouped(assignments("--filter", self.signal_filter)) or None,
                "group_by": listed(self.group_by) or None,
                "period": self.period,
                "timezone": self.timezone,
            }
        )


@Parameter(name="*", group=_CONDITION)
@dataclass(frozen=True)
class When:
    """The condition: one kind of it."""

    at_least: Annotated[Texts, Parameter(help=f"The figure reaches this; {_NUMBERS}.")] = ()
    above: Annotated[Texts, Parameter(help=f"It is more than this; {_NUMBERS}.")] = ()
    at_most: Annotated[Texts, Parameter(help=f"It is this or less; {_NUMBERS}.")] = ()
    below: Annotated[Texts, Parameter(help=f"It is less than this; {_NUMBERS}.")] = ()
    limit: Annotated[str | None, Parameter(name="--limit-of", help="A limit, of which --percent are shares.")] = None
    percent: Annotated[Texts, Parameter(help=f"Of --limit-of, 100 if it is absent; {_NUMBERS}.")] = ()
    change: Annotated[str | None, Parameter(help="It differs by so much from as much of the period before.")] = None
    change_percent: Annotated[str | None, Parameter(help="The same in percent.")] = None
    direction: Annotated[Literal["up", "down", "any"] | None, Parameter(help="Which changes count.")] = None
    floor: Annotated[str | None, Parameter(help="Percent are quiet while both figures are below this.")] = None
    silent_for: Annotated[
        int | None, Parameter(help="Nothing came for so many seconds from a customer who sent before.")
    ] = None

    def given(self) -> Json:
        """Return the condition if one was given. Raises `BadUse`."""
        sides = {">=": self.at_least, ">": self.above, "<=": self.at_most, "<": self.below}
        kinds: list[Json] = [
            {"type": "threshold", "op": op, **_thresholds(values)} for op, values in sides.items() if values
        ]
        if self.limit is not None:
            shares = (
                {"thresholds": [_number("--percent", each) for each in listed(self.percent)]} if self.percent else {}
            )
            kinds.append({"type": "threshold", "limit": _number("--limit-of", self.limit), **shares})
        elif self.percent:
            raise BadUse("--percent needs --limit-of")
        for name, kind, value in (
            ("--change", "absolute_change", self.change),
            ("--change-percent", "percent_change", self.change_percent),
        ):
            if value is not None:
                beside = {"direction": self.direction, "floor": self.floor and _number("--floor", self.floor)}
                kinds.append({"type": kind, "value": _number(name, value), **without_none(beside)})
        if self.silent_for is not None:
            kinds.append({"type": "no_data", "silence_s": self.silent_for})
        if len(kinds) > 1:
            raise BadUse(
                "a signal has one condition: give one of --at-least, --above, --at-most, --below, --limit-of, "
                "--change, --change-percent, --silent-for"
            )
        if not kinds and (self.direction or self.floor):
            raise BadUse("--direction and --floor belong to --change and --change-percent")
        return {"condition": kinds[0]} if kinds else {}


@Parameter(name="*", group=_TOLD)
@dataclass(frozen=True)
class Told:
    """Messages, and what people call it."""

    name: Annotated[str | None, Parameter(help="What people call it.")] = None
    channel: Annotated[Texts, Parameter(help="A channel's key; repeat it, or use commas.")] = ()
    digest: Annotated[
        Literal["none", "hourly", "daily"] | None, Parameter(help="At once, or joined into one message.")
    ] = None
    template: Annotated[str | None, Parameter(help="Jinja for the text of messages that are no webhooks.")] = None
    owner: Annotated[str | None, Parameter(help="The customer whose own signal it is; --customer is the same.")] = None

    def given(self) -> Json:
        """Return the fields that were given."""
        return without_none(
            {
                "name": self.name,
                "channels": listed(self.channel) or None,
                "digest": self.digest,
                "template": self.template,
                "owner": self.owner,
            }
        )


File = Annotated[
    str | None,
    Parameter(
        name="--file", allow_leading_hyphen=True, help="A JSON file with the definition (`-`: stdin); options beat it."
    ),
]
NOT_WATCHED: Final = Watched()
NEVER: Final = When()
NOBODY: Final = Told()


def whole_signal(file: str | None, watched: Watched, when: When, told: Told) -> Json:
    """Return a whole signal, but for its key. Raises `BadUse` where what every signal has is missing."""
    signal = given_fields(file, watched, when, told)
    if "meter" not in signal:
        raise BadUse("give --meter, or --file with the definition")
    if "condition" not in signal:
        raise BadUse(
            "say when it fires: --at-least 100, --limit-of 1000 --percent 80,100, --change-percent 50 ..., or --file"
        )
    return signal


def given_fields(file: str | None, watched: Watched, when: When, told: Told) -> Json:
    """Return the fields that were given: those of the file, and the options over them. Raises `BadUse`."""
    found = json_object(file) if file is not None else {}
    return found | watched.given() | when.given() | told.given()


def _thresholds(texts: Texts) -> Json:
    numbers = [_number("a threshold", text) for text in listed(texts)]
    return {"value": numbers[0]} if len(numbers) == 1 else {"thresholds": numbers}


def _number(option: str, text: str) -> Any:  # Any: a number as JSON has it
    import msgspec

    from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount

    try:
        return msgspec.Raw(canonical_amount(text).encode())
    except (InvalidAmount, AmountOutOfRange) as error:
        raise BadUse(f"{option}: {error}") from error
