"""Why a question to the appliance has no answer, in words for the person in front of the screen."""

from __future__ import annotations


class ApplianceFailure(Exception):
    """No answer; `str()` is one line that says what failed."""


class Unreachable(ApplianceFailure):
    """No connection, one that broke, or an appliance that is not ready: it is worth asking again by itself."""


class Refused(ApplianceFailure):
    """The appliance answered, and said no, in its own words. `fields` are details by the field or pointer they are about."""

    def __init__(self, message: str, *, status: int, code: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.fields = status, code, fields or {}


class Misunderstood(ApplianceFailure):
    """Something answered that is no appliance, or one of another version."""
