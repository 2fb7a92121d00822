"""Which column becomes which field of the event: by name, by `--map`, by `--set`; what is left becomes a property.

Promises: a text keeps its digits. A number stays a number only where its spelling is the canonical one, so that `007` and `1.10` stay
what they are (the appliance compares numbers and texts alike). An empty cell is an absent field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tallystick.amount import NUMBER_PATTERN, AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.instant import InvalidInstant, checked_instant, format_instant
from tallystick_server.cli.asking import assignments
from tallystick_server.cli.failure import BadUse, Failure
from tallystick_server.cli.moment import instant_of_local

EVENT_FIELDS: Final = ("id", "source", "type", "customer", "time", "value")
PROPERTIES: Final = "properties"
_DOT: Final = "properties."
_NUMBER: Final = re.compile(NUMBER_PATTERN, re.ASCII)
_COUNT: Final = re.compile(r"-?[0-9]{1,25}(?:\.[0-9]{1,12})?", re.ASCII)
_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}

Fragment = bytes | None


class TimeReading(msgspec.Struct, frozen=True):
    """How times that say too little are read: the unit of bare numbers, the zone of times without an offset (None: refused)."""

    unit: str = "ms"
    zone: ZoneInfo | None = None

    def fragment(self, text: str) -> Fragment:
        """Return the JSON of a time; one that cannot be read goes to the appliance as it is, which says what is wrong with it."""
        text = text.strip()
        if not text:
            return None
        try:
            if _COUNT.fullmatch(text):
                return _quoted(format_instant(checked_instant(int(Decimal(text) * _NS[self.unit]))))
            if self.zone is not None and not _has_offset(text):
                return _quoted(format_instant(instant_of_local(text, self.zone)))
        except InvalidInstant:
            pass
        return _quoted(text)


class FieldMap:
    """The mapping of one import: the same for all of its files."""

    def __init__(
        self, maps: Sequence[str], sets: Sequence[str], ignored: Sequence[str], reading: TimeReading | None = None
    ) -> None:
        self._by_column: dict[str, list[str]] = {}
        self.reading = reading or TimeReading()
        for target, column in assignments("--map", tuple(maps)):
            _check_target("--map", target)
            self._by_column.setdefault(column, []).append(target)
        self._constants: dict[str, str] = {}
        for target, text in assignments("--set", tuple(sets)):
            _check_target("--set", target)
            self._constants[target] = text
        mapped = [target for targets in self._by_column.values() for target in targets]
        if twice := {target for target in mapped if mapped.count(target) > 1 or target in self._constants}:
            raise BadUse(f"--map, --set: {', '.join(sorted(twice))} is given twice")
        self._taken = {*mapped, *self._constants}
        self._ignored = set(ignored)

    @property
    def is_plain(self) -> bool:
        """Whether records that are events already can pass untouched."""
        return not (self._taken or self._ignored) and self.reading == TimeReading()

    def check_columns(self, columns: Sequence[str], file: str) -> None:
        """Raise `Failure` for a column that an option names and the file lacks, or that it has twice."""
        missing = [column for column in [*self._by_column, *sorted(self._ignored)] if column not in columns]
        if missing:
            raise Failure(f"{file}: there is no column {missing[0]!a}; it has: {', '.join(columns)}")
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise Failure(f"{file}: two columns are called {twice[0]!a}; rename one")

    def targets(self, column: str) -> list[str]:
        """Return the fields that a column fills: none, one, or several if it was mapped several times."""
        if column in self._by_column:
            return self._by_column[column]
        if column in self._ignored:
            return []
        is_named = column in EVENT_FIELDS or column == PROPERTIES or column.startswith(_DOT)
        target = column if is_named and column not in self._taken else f"{_DOT}{column}"
        return [target]

    def constants(self) -> list[tuple[str, Fragment]]:
        """Return what `--set` gives to every event."""
        return [(target, self.text_fragment(target)(text)) for target, text in self._constants.items()]

    def text_fragment(self, target: str) -> Callable[[str], Fragment]:
        """Return what turns a cell's text into the JSON of this field. It raises `UnicodeEncodeError` for what is no UTF-8."""
        if target == "time":
            return self.reading.fragment
        if target == "value":
            return _value
        if target == PROPERTIES:
            return _object
        return _property if target.startswith(_DOT) else _text


def event_json(fields: Sequence[tuple[str, Fragment]]) -> bytes:
    """Return the event of fields and their JSON, in that order; properties are put together, absent fields left out.

    A field given twice stands twice, for the appliance to refuse: which one was meant is not ours to guess.
    """
    top: list[bytes] = []
    properties: list[bytes] = []
    for target, fragment in fields:
        if fragment is None:
            continue
        if target == PROPERTIES:
            inner = fragment.strip()[1:-1].strip()
            if inner:
                properties.append(inner)
        elif target.startswith(_DOT):
            properties.append(_quoted(target[len(_DOT) :]) + b":" + fragment)
        else:
            top.append(b'"%b":%b' % (target.encode(), fragment))
    if properties:
        top.append(b'"properties":{' + b",".join(properties) + b"}")
    return b"{" + b",".join(top) + b"}"


def _check_target(option: str, target: str) -> None:
    if target not in EVENT_FIELDS and not (target.startswith(_DOT) and len(target) > len(_DOT)):
        raise BadUse(f"{option}: {target!a} is no field; take {', '.join(EVENT_FIELDS)} or properties.NAME")


def _quoted(text: str) -> bytes:
    return msgspec.json.encode(text)


def _text(text: str) -> Fragment:
    return _quoted(text) if text else None


def _value(text: str) -> Fragment:
    text = text.strip()
    if not text:
        return None
    return text.encode() if _NUMBER.fullmatch(text) else _quoted(text)


def _property(text: str) -> Fragment:
    if not text:
        return None
    try:
        is_canonical = canonical_amount(text) == text
    except (InvalidAmount, AmountOutOfRange):
        is_canonical = False
    return text.encode() if is_canonical else _quoted(text)


def _object(text: str) -> Fragment:
    """Return a cell that holds the properties as JSON; anything but an object goes on as a text, for the appliance to refuse."""
    text = text.strip()
    if not text:
        return None
    encoded = text.encode()
    try:
        msgspec.json.decode(encoded, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return b'{"properties":' + _quoted(text) + b"}"
    return encoded


def _has_offset(text: str) -> bool:
    return text[-1:] in "Zz" or re.search(r"[+-][0-9]{2}:[0-9]{2}$", text[10:]) is not None
