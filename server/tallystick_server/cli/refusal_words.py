"""What the appliance has against a request, for somebody who typed a command: options in place of fields, commands in place of requests.

A fault names a field of the API. Where the command has a parameter of this name, or one that `_CALLED` knows, that is named instead; a
field that has none (it stands in a `--file`) keeps its name. What is no fault of a field is said as the appliance says it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

# Fields whose parameter has another name; whole paths, where the last name alone means something else.
_CALLED: Final = {
    "channels": "--channel",
    "condition.limit": "--limit-of",
    "condition.silence_s": "--silent-for",
    "dimensions": "--dimension",
    "event_id": "ID",
    "event_type": "--type",
    "expires_at": "--expires",
    "for_s": "--for",
    "options": "--option",
    "scope.customer": "--customer",
    "scopes": "--scope",
    "time_zone": "--timezone",
    "version": "--meter-version",
}
_SENTENCES: Final = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"; change it with PATCH$", "; change that one, or take another key"),
        (r"`GET /v1/aggregators`", "`tallystick aggregators --json`"),
    )
)


def in_words_of_command(said: str, faults: Sequence[tuple[str, str]], parameters: Collection[str]) -> str:
    """Return what was said with each fault, a field and what is wrong with it, in the words of a command that has these parameters."""
    for field, detail in faults:
        said = said.replace(f"{field}: {detail}", f"{_parameter(field, parameters)}: {_sentence(detail)}", 1)
    return _sentence(said)


def _parameter(field: str, parameters: Collection[str]) -> str:
    steps = re.sub(r"\[[^\]]*\]", "", field).split(".")
    names = [name for at in range(len(steps)) for name in (".".join(steps[at:]), steps[at])]
    # An argument before an option: the URL of a channel is not the --url of the appliance.
    called = [word for name in names for word in (_CALLED.get(name, ""), name.upper(), f"--{name.replace('_', '-')}")]
    return next((word for word in called if word in parameters), field)


def _sentence(said: str) -> str:
    for pattern, sentence in _SENTENCES:
        said = pattern.sub(sentence, said)
    return said
