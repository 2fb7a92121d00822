"""Options that many commands share, written once so that they are called and explained alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter

from .failure import BadUse

_MOMENTS: Final = "RFC 3339, a date, `now`, `today`, or relative such as -7d, -12h, -30m"


def at_least_one(_kind: object, limit: int | None) -> None:
    """Refuse a limit that would show nothing; None is no limit. Raises `BadUse`."""
    if limit is not None and limit < 1:
        raise BadUse("--limit: give at least 1")


AsJson = Annotated[bool, Parameter(name="--json", help="Answer the API's own JSON, every digit kept.")]
Limit = Annotated[int, Parameter(name=["--limit", "-l"], help="How many at most.", validator=at_least_one)]
From = Annotated[str | None, Parameter(name="--from", allow_leading_hyphen=True, help=f"Start: {_MOMENTS}.")]
To = Annotated[str | None, Parameter(name="--to", allow_leading_hyphen=True, help="End, not included: same forms.")]
TimeZone = Annotated[
    str, Parameter(help="IANA zone in which dates and times without an offset are read, and windows are cut.")
]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it without asking.")]

T = TypeVar("T")


def assignments(option: str, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return `name=value` texts as pairs, in order. Raises `BadUse`, naming the option."""
    pairs: list[tuple[str, str]] = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise BadUse(f"{option}: {text!a} is not of the form name=value")
        pairs.append((name.strip(), value))
    return pairs


def listed(texts: tuple[str, ...]) -> list[str]:
    """Return the parts of texts that may each hold several, separated by commas, in order."""
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def without_none(options: Mapping[str, T | None]) -> dict[str, T]:
    """Return the options that were given, by name."""
    return {name: value for name, value in options.items() if value is not None}


def grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return pairs as lists of values by name, both in the order given."""
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def range_params(start: str | None, end: str | None, zone_name: str) -> list[tuple[str, str]]:
    """Return `from` and `to` as the API takes them, for those that were given. Raises `BadUse`."""
    from tallystick.instant import format_instant
    from tallystick_server.present import SystemClock

    from .moment import parse_moment, zone_of

    zone, now = zone_of(zone_name), SystemClock().now()
    named = (("from", start), ("to", end))
    instants = [(name, parse_moment(text, option=f"--{name}", now=now, zone=zone)) for name, text in named if text]
    if len(instants) == 2 and instants[0][1] > instants[1][1]:  # noqa: PLR2004 - both ends
        raise BadUse("--from is later than --to")
    return [(name, format_instant(instant)) for name, instant in instants]


def moment_as_sent(option: str, text: str, zone_name: str = "UTC") -> str:
    """Return the moment that the text of an option names, as the API takes it. Raises `BadUse`."""
    from tallystick.instant import format_instant
    from tallystick_server.present import SystemClock

    from .moment import parse_moment, zone_of

    return format_instant(parse_moment(text, option=option, now=SystemClock().now(), zone=zone_of(zone_name)))


def sure(question: str, *, yes: bool) -> None:
    """Ask before something is taken away; a script says --yes. Raises `BadUse` where nobody can answer."""
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        raise BadUse(f"{question} Give --yes to do it without being asked.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise BadUse("nothing was done")
