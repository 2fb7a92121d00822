"""A process that flips one bit after another in copies of a data directory and writes down what the engine makes of each.

Started as `python -m tests.crash.flipped_bits ORIGINAL FOLDER`, it reads lines `FILE BIT` and answers each with one line of JSON
(`Verdict`). A damaged tree of LMDB may end the process; the one who started it takes that as an answer too.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from tallystick.engine import Engine
from tallystick.engine.engine import ignore_progress
from tallystick.engine.offline import verify_directory
from tallystick.errors import TallystickError
from tallystick.identity import Identity
from tallystick.instant import parse_instant
from tallystick.store import EventsQuestion
from tallystick.usage.question import UsageQuestion
from tests.crash import numbered_events, small_engine
from tests.crash.numbered_events import event_id

WRITES: Final = ("a duplicate", "another duplicate")


class Verdict(msgspec.Struct):
    """What came of one flipped bit.

    `problems` is what `verify` found, None if it could not even begin, with the reason in `refusal`. `wrong` are questions whose answer was
    another than before the flip, `refused` those that raised an error of the store, `broken` those that raised anything else.
    """

    problems: list[str] | None
    refusal: str = ""
    wrong: list[str] = []
    refused: list[str] = []
    broken: list[str] = []

    @property
    def is_noticed(self) -> bool:
        """Whether `verify` would exit with 1."""
        return self.problems is None or bool(self.problems)


def answers(engine: Engine) -> dict[str, Callable[[], Any]]:  # Any: whatever a question answers, compared by equality
    """Return questions of every kind, each to be asked of an open engine."""
    whole = UsageQuestion(start=parse_instant(numbered_events.START), end=parse_instant(numbered_events.END))
    by_group = msgspec.structs.replace(whole, group_by=("customer", "region"))

    def figures(meter: Any, question: UsageQuestion) -> list[tuple[Any, Decimal | None, int]]:  # Any: as above
        return [
            (sorted(each.group.items(), key=str), each.value, each.events)
            for each in engine.preview(meter, question).totals
        ]

    def receipt(number: int) -> Any:  # Any: as above
        found = engine.receipt(Identity("", event_id(number)))
        return None if found is None else (found.stored, found.block, found.duplicates_seen)

    def pages() -> list[Any]:  # Any: as above
        page = engine.events(EventsQuestion(limit=1_000, customer="customer-3"))
        return [(item.event.id, item.event.value, item.state) for item in page.items]

    return {
        "count": lambda: figures(small_engine.COUNT, whole),
        "sum": lambda: figures(small_engine.SUM, whole),
        "sum by customer and region": lambda: figures(small_engine.SUM, by_group),
        "a stored meter": lambda: engine.usage("units", whole).totals,
        "a described customer": lambda: engine.customer("customer-1"),
        "events of a customer": pages,
        "an early receipt": lambda: receipt(7),
        "a late receipt": lambda: receipt(700),
        "customers seen": lambda: engine.customers_unknown(limit=100, cursor=None).items,
        "meters": lambda: engine.meters(include_archived=True),
        "quarantine": lambda: engine.quarantine(limit=100, cursor=None, code=None).items,
        "keys": engine.api_keys,
        "log": lambda: [(stored.event.id, stored.event.value, stored.state) for stored in engine.scan_log()],
        WRITES[0]: lambda: _sent_again(engine, 7),
        WRITES[1]: lambda: _sent_again(engine, 703),
    }


def _sent_again(engine: Engine, number: int) -> tuple[int, int]:
    answer = engine.ingest(small_engine.batch_of(numbered_events.body([number])))
    return answer.accepted, answer.duplicates


def true_answers(directory: Path) -> dict[str, Any]:  # Any: as above
    """Return the answers of an undamaged directory."""
    engine = small_engine.opened(directory, with_background=False)
    try:
        return {name: ask() for name, ask in answers(engine).items()}
    finally:
        engine.close()


def flip(file: Path, bit: int) -> None:
    """Turn one bit of a file."""
    with file.open("r+b") as content:
        content.seek(bit // 8)
        byte = content.read(1)[0]
        content.seek(bit // 8)
        content.write(bytes([byte ^ (1 << bit % 8)]))


def judge(directory: Path, truth: dict[str, Any]) -> Verdict:  # Any: as above
    """Verify the directory, then ask everything of it."""
    try:
        verdict = Verdict(verify_directory(directory, ignore_progress, settings=small_engine.SETTINGS).problems)
    except TallystickError as error:
        verdict = Verdict(None, refusal=str(error))
    except Exception as error:  # noqa: BLE001 - what it raises is the finding
        verdict = Verdict(None, broken=[f"verify: {error!r}"])
    try:
        engine = small_engine.opened(directory, with_background=False)
    except TallystickError as error:
        verdict.refused.append(f"open: {error}")
        return verdict
    except Exception as error:  # noqa: BLE001 - as above
        verdict.broken.append(f"open: {error!r}")
        return verdict
    try:
        for name, ask in answers(engine).items():
            _compare(verdict, name, ask, truth[name])
    finally:
        engine.close()
    return verdict


def _compare(verdict: Verdict, name: str, ask: Callable[[], Any], expected: Any) -> None:  # Any: as above
    try:
        found = ask()
    except TallystickError as error:
        verdict.refused.append(f"{name}: {error}")
    except Exception as error:  # noqa: BLE001 - as above
        verdict.broken.append(f"{name}: {error!r}")
    else:
        if found != expected:
            verdict.wrong.append(f"{name}: {str(found)[:200]} instead of {str(expected)[:200]}")


def serve(original: Path, folder: Path) -> None:
    """Answer lines from stdin until it ends."""
    shutil.copytree(original, folder / "truth", dirs_exist_ok=True)
    truth = true_answers(folder / "truth")
    for line in sys.stdin:
        name, _, bit = line.strip().rpartition(" ")
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(original, copy)
        flip(copy / name, int(bit))
        sys.stdout.write(msgspec.json.encode(judge(copy, truth)).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
