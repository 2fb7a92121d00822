"""What a message says to people: a title, and the same facts as text, Markdown and HTML.

Promises: names that strangers chose (customers, groups) are escaped in Markdown and HTML, and stand on one line in all three.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape

import msgspec

from .payload import DigestOut, MessageOut, StepOut

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~@:])")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2066-\u2069\ufeff]")
_NAME_LENGTH_MAX = 128


class Wording(msgspec.Struct, frozen=True):
    """A message in the forms that channels want."""

    title: str
    text: str
    markdown: str
    html: str


def wording_of(message: MessageOut) -> Wording:
    """Return the default words of a message."""
    data = message.data
    if isinstance(data, StepOut):
        title, facts, url, link = _title(data), _facts(data), data.explanation_url, "The events behind the figure"
    elif isinstance(data, DigestOut):
        title, facts = _digest_title(data), _digest_facts(data)
        url, link = data.list_url, "All of them"
    else:
        title, facts, url, link = "Test message", [("Channel", data.channel), ("Message", data.message)], None, ""
    return Wording(
        title=title,
        text=_lines(facts, url, link, "{name}: {value}", "{link}: {url}", one_line),
        markdown=_lines(facts, url, link, "- **{name}**: {value}", "\n[{link}]({url})", in_markdown),
        html="<ul>"
        + _lines(facts, None, link, "<li><b>{name}</b>: {value}</li>", "", in_html)
        + "</ul>"
        + (f'\n<p><a href="{escape(url)}">{escape(link)}</a></p>' if url else ""),
    )


def facts_for_template(message: MessageOut) -> dict[str, object]:
    """Return what a template may name: the fields of a step, numbers as their digits."""
    data = message.data
    if not isinstance(data, StepOut):
        return {}
    plain: dict[str, object] = msgspec.json.decode(msgspec.json.encode(data), type=dict[str, object])
    plain |= {
        name: digits(getattr(data, name)) for name in ("figure", "threshold", "percent", "limit", "base", "change")
    }
    plain |= {"name": one_line(data.name), "customer": None if data.customer is None else one_line(data.customer)}
    plain["group"] = {one_line(name): None if value is None else one_line(value) for name, value in data.group.items()}
    plain["who"] = one_line(_who(data))
    plain["title"] = _title(data)
    return plain


def digits(raw: msgspec.Raw) -> str | None:
    """Return a JSON number as its digits, None for null."""
    text = bytes(raw).decode()
    return None if text == "null" else text


def one_line(text: str) -> str:
    """Return a name as text shows it: on one line, no control characters, cut."""
    plain = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return plain if len(plain) <= _NAME_LENGTH_MAX else plain[: _NAME_LENGTH_MAX - 1] + "…"


def in_markdown(text: str) -> str:
    """Return a name as Markdown shows it."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def in_html(text: str) -> str:
    """Return a name as HTML shows it."""
    return escape(one_line(text))


def _title(step: StepOut) -> str:
    percent = digits(step.percent)
    if step.state == "recovered":
        return f"Recovered: {one_line(step.name)} for {one_line(_who(step))}"
    if step.reason == "silence":
        return f"{one_line(step.name)}: nothing from {one_line(_who(step))}"
    past = f" at {percent} %" if percent is not None else ""
    return f"{one_line(step.name)}{past} for {one_line(_who(step))}"


def _who(step: StepOut) -> str:
    who = "everybody" if step.customer is None else step.customer
    group = ", ".join(f"{name} {'-' if value is None else value}" for name, value in step.group.items())
    return f"{who} ({group})" if group else who


def _facts(step: StepOut) -> list[tuple[str, str]]:
    base = digits(step.base)
    change = digits(step.change)
    if base == "0" and change is None:
        change = "there was nothing before"
    facts = [
        ("What", f"{step.name} {step.state}" + (" by a correction" if step.reason == "correction" else "")),
        ("Who", _who(step)),
        ("Meter", step.meter),
        ("Figure", digits(step.figure)),
        ("Threshold", digits(step.threshold)),
        ("Limit", digits(step.limit)),
        ("Before", base),
        ("Change", change),
        ("Last event", step.last_event_at),
        ("Period", f"{step.period.start} to {step.period.end}"),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _digest_title(digest: DigestOut) -> str:
    counts = [f"{digest.fired:,} fired"] if digest.fired else []
    counts += [f"{digest.recovered:,} recovered"] if digest.recovered else []
    return ("Many signals at once: " if digest.reason == "storm" else "Signals: ") + ", ".join(counts)


def _digest_facts(digest: DigestOut) -> list[tuple[str, str]]:
    facts = [("From", digest.first_at), ("To", digest.last_at)]
    facts += [(count.signal, f"{count.fired:,} fired, {count.recovered:,} recovered") for count in digest.signals[:10]]
    if len(digest.signals) > 10:  # noqa: PLR2004 - as many as a reader takes in
        facts.append(("Further signals", f"{len(digest.signals) - 10}"))
    return facts + [
        (_title(step), f"{digits(step.figure) or '-'} of {digits(step.limit) or digits(step.threshold) or '-'}")
        for step in digest.top
    ]


def _lines(
    facts: list[tuple[str, str]], url: str | None, link: str, line: str, last: str, shown: Callable[[str], str]
) -> str:
    lines = [line.format(name=shown(name), value=shown(value)) for name, value in facts]
    return "\n".join([*lines, *([last.format(link=link, url=url)] if url else [])])


def with_template(wording: Wording, rendered: str) -> Wording:
    """Return the message with what a template made as its body in every form."""
    html = "<br>\n".join(escape(line) for line in rendered.splitlines())
    return Wording(title=wording.title, text=rendered, markdown=rendered, html=html)


def template_names() -> Mapping[str, object]:
    """Return an example of what a template may name, by which one is tried before it is saved."""
    example = dict.fromkeys(StepOut.__struct_fields__, "1")
    return example | {
        "group": {},
        "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
        "who": "acme",
        "title": "t",
    }
