"""Whether a usage question can be asked at all, before anything is read. What it costs is bounded where it is answered."""

from __future__ import annotations

from typing import Final

from tallystick.errors import InvalidQuestion
from tallystick.event import PROPERTY_NAME_LENGTH_MAX
from tallystick.instant import EARLIEST, LATEST

from .event_filter import check_filter, is_text
from .question import UsageQuestion

GROUP_BY_MAX: Final = 8
LIMIT_MAX: Final = 1_000_000


def check_question(question: UsageQuestion) -> None:
    """Raise `InvalidQuestion` naming the parameter, by its name outside, that breaks a rule."""
    if not EARLIEST <= question.start <= LATEST:
        raise InvalidQuestion("from", "lies outside 1970 to 2261")
    if not EARLIEST <= question.end <= LATEST:
        raise InvalidQuestion("to", "lies outside 1970 to 2261")
    if question.end < question.start:
        raise InvalidQuestion("to", "lies before from")
    if len(question.group_by) > GROUP_BY_MAX:
        raise InvalidQuestion("group_by", f"{len(question.group_by)} names are more than {GROUP_BY_MAX}")
    if len(set(question.group_by)) < len(question.group_by):
        raise InvalidQuestion("group_by", "each name may be given once")
    for name in question.group_by:
        if not is_text(name, PROPERTY_NAME_LENGTH_MAX):
            raise InvalidQuestion(
                "group_by",
                f"{name[:64]!a} is no name: customer or a property of 1 to {PROPERTY_NAME_LENGTH_MAX} characters",
            )
    check_filter(question.filter, lambda detail: InvalidQuestion("filter", detail))
    _check_numbers(question)


def _check_numbers(question: UsageQuestion) -> None:
    if question.limit is not None and not 1 <= question.limit <= LIMIT_MAX:
        raise InvalidQuestion("limit", f"is not between 1 and {LIMIT_MAX:,}")
    if question.as_of is not None and question.as_of < 0:
        raise InvalidQuestion("as_of", "is no position in the log: positions start at 1")
    if question.version is not None and question.version < 1:
        raise InvalidQuestion("version", "is no version of a meter: versions start at 1")
