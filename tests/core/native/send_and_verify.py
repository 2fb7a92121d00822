"""A process that opens a directory, sends it the same events and prints what became of them and whether it verifies.

Started as `python -m tests.core.native.send_and_verify DIRECTORY`, with or without the compiled library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine, verify_directory
from tallystick.engine_settings import EngineSettings
from tallystick.native.library import NATIVE
from tallystick.testing import ManualClock, SeededEntropy
from tests.core.decode.odd_events import event_text


def answer_of(directory: Path) -> str:
    """Return whether the library was used, how many events were accepted and came again, and how many problems there are."""
    clock, entropy, random = ManualClock(), SeededEntropy(), Random(3)
    engine = Engine.open(
        directory, clock=clock, entropy=entropy, settings=EngineSettings(disk_free_min_bytes=0), with_background=False
    )
    accepted = duplicates = 0
    for number in range(6):
        events = [event_text(random, 0.0) for _ in range(200)]
        texts = [f'{{"id":"{number}-{place}",' + _without_id(event) for place, event in enumerate(events)]
        batch = decode_events(
            ("[" + ",".join(texts) + "]").encode(),
            media_type="application/json",
            received_at=clock.now(),
            limits=DecodeLimits(),
            entropy=entropy,
        )
        answer = engine.ingest(batch)
        accepted, duplicates = accepted + answer.accepted, duplicates + answer.duplicates
        if number % 2:
            engine.checkpoint()
    engine.close()
    problems = verify_directory(directory, lambda _progress: None).problems
    return f"{'compiled' if NATIVE else 'plain'} {accepted} {duplicates} {len(problems)}"


def _without_id(event: str) -> str:
    """Return what follows the opening brace, without the field `id`."""
    fields = json.loads(event)
    fields.pop("id", None)
    return json.dumps(fields)[1:]


if __name__ == "__main__":
    print(answer_of(Path(sys.argv[1])))  # noqa: T201 - what the test reads
