"""Events as JSON, from quite ordinary to mostly broken, and what the rules say of each: what every fast path is compared with."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from tallystick.decode.event_rules import CheckedEvent, check_event
from tallystick.decode.json_reader import read_json
from tallystick.decode.refused import Refused
from tests.core.decode.decoding import LIMITS, RECEIVED_AT, Row

NAMES = ("id", "type", "customer", "source", "time", "value", "properties")
TEXTS = ('"a"', '"customer-7"', '"ü 🦀"', '"a b"')
ODD_TEXTS = ('""', '"\\u00fc"', '"\\u0000"', '"\\/"', '"\\ud800"', "null", "5", '"' + "x" * 300 + '"', '"\\":"', "true")
TIMES = ('"2026-11-01T10:00:00.123Z"', '"2026-11-01T10:00:00Z"', "1793527200123", '"2026-11-01T10:00:00.5+02:00"')
ODD_TIMES = (
    '"2026-11-01 10:00:00Z"',
    '"2026-11-31T10:00:00.123Z"',
    '"2027-11-01T10:00:00.123Z"',
    '"2026-11-01T10:00:60Z"',
    '"1969-11-01T10:00:00.123Z"',
    '"2026-11-01T1\u0966:00:00.123Z"',
    '"2026-11-01T24:00:00.123Z"',
    '"3026-11-01T10:00:00.123Z"',
    "1793527200123.0",
    "-0",
    "-5",
    "1e12",
    "null",
    "[]",
    '""',
    "9" * 40,
)
NUMBERS = ("1", "0.5", "-12.25", "812", "0", "99999999999999999999999999")
ODD_NUMBERS = ("1.0", "1e3", "-0", "0.10", "0.30000000000000004", "1e-20", "1e30", "9" * 27, "NaN", "01", "1e999999999")
PROPERTIES = ('{"region":"eu","tokens":812,"ok":true}', "{}", '{"b":"x","a":-1.5}', '{ "a" : "x" , "b" : 2 }')
ODD_PROPERTIES = (
    '{"a":1,"a":1}',
    '{"a" :1,"b":2}',
    '{"a":null}',
    '{"a":[1]}',
    '{"a":{"b":1}}',
    '{"":1}',
    '{"a":":"}',
    '{"a":"\\":"}',
    '{"a":"{"}',
    '{"a":"["}',
    '{"\\u0061":1}',
    '{"a":"\\u0000"}',
    '{"a":"\\ud83d\\ude00"}',
    '{"a":"\\ud83d"}',
    "null",
    "[]",
    '"x"',
    '{"a":' + "9" * 27 + "}",
    '{"a":1e30}',
    '{"a":' + "9" * 30 + ".5}",
    "{" + ",".join(f'"n{n}":{n}' for n in range(129)) + "}",
    "{" + ",".join(f'"n{n}":{n}.50' for n in range(128)) + "}",
    '{"' + "n" * 257 + '":1}',
    '{"' + "n" * 256 + '":1}',
    '{"n":"' + "x" * 8_193 + '"}',
)
SPACES = ("", " ", "  ", "\t", "\r")


def event_text(random: Random, oddness: float) -> str:
    """Return one event, each part of which is unusual with the given probability."""

    def part(usual: tuple[str, ...], odd: tuple[str, ...]) -> str:
        return random.choice(odd if random.random() < oddness else usual)

    spelled = {
        "type": part(TEXTS, ODD_TEXTS),
        "customer": part(TEXTS, ODD_TEXTS),
        "id": part(TEXTS, ODD_TEXTS),
        "source": part(TEXTS, ODD_TEXTS),
        "time": part(TIMES, ODD_TIMES),
        "value": part((*NUMBERS, '"1.5"'), ODD_NUMBERS + ODD_TEXTS),
        "properties": part(PROPERTIES, ODD_PROPERTIES),
    }
    names = [name for name in NAMES if name in {"type", "customer"} or random.random() < 0.6]
    pairs = [(f'"{name}"', spelled[name]) for name in names]
    if random.random() < oddness:
        pairs.append(random.choice([*pairs, ('"x"', "1"), ('""', "NaN"), ('"typ\\u0065"', '"t"'), ('"Type"', '"t"')]))
    if random.random() < oddness:
        pairs.pop(random.randrange(len(pairs)))
    random.shuffle(pairs)
    space, colon = random.choice(SPACES), random.choice((":", ":", ": ", " :"))
    return "{" + space + f",{space}".join(name + colon + value for name, value in pairs) + space + "}"


@st.composite
def requests(draw: st.DrawFn) -> list[str]:
    """Return events, from quite ordinary to mostly broken; some so long that they are taken in runs."""
    random = Random(draw(st.integers(0, 2**32)))
    oddness = draw(st.sampled_from((0.0, 0.002, 0.02, 0.2)))
    count = draw(st.sampled_from((1, 2, 11, 30, 230)))
    return [event_text(random, oddness) for _ in range(count)]


def expected(events: list[str]) -> tuple[list[tuple[int, CheckedEvent]], list[tuple[int, Refused]]]:
    taken: list[tuple[int, CheckedEvent]] = []
    refused: list[tuple[int, Refused]] = []
    for index, event in enumerate(events):
        try:
            taken.append((index, check_event(read_json(event.encode()), latest=RECEIVED_AT + LIMITS.future_ns_max)))
        except Refused as refusal:
            refused.append((index, refusal))
    return taken, refused


def row_of(index: int, event: CheckedEvent, given_id: str) -> Row:
    return Row(
        place=index,
        source=event.source,
        id=given_id if event.id is None else event.id,
        type=event.type,
        customer=event.customer,
        time=RECEIVED_AT if event.time is None else event.time,
        is_timed=event.time is not None,
        value=event.value,
        properties=event.properties,
    )
