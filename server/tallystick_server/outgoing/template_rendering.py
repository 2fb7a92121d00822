"""Fills in a template that a person wrote: sandboxed, one size of answer at most. Time and memory are bounded by the process it runs in."""

from __future__ import annotations

from collections.abc import Mapping

TEXT_LENGTH_MAX = 16_384


class BadTemplate(ValueError):
    """A template that cannot be filled in; the message says where and why."""


def render(template: str, names: Mapping[str, object]) -> str:
    """Return the text. Raises `BadTemplate`."""
    from jinja2 import StrictUndefined, TemplateError  # noqa: PLC0415 - for who has a template
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - as above

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    try:
        text = ""
        for piece in environment.from_string(template).generate(**names):
            text += piece
            if len(text) > TEXT_LENGTH_MAX:
                raise BadTemplate(f"it makes more than {TEXT_LENGTH_MAX} characters")
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise BadTemplate(f"line {line}: {error}" if line else str(error)) from error
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, MemoryError, RecursionError) as error:
        if isinstance(error, BadTemplate):
            raise
        raise BadTemplate(f"{type(error).__name__}: {str(error)[:200]}") from error
    return text
