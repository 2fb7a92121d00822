"""The compiled library under the compiler's own guards: no byte read or written too far, no arithmetic that C does not define."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

import tallystick.native
from tests.bench.bench_events import body_json
from tests.core.decode.odd_events import event_text

SOURCES = Path(tallystick.native.__file__).parent
DRIVER = Path(__file__).with_name("mutations.c")
GUARDS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror")
BODIES = 40_000


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the library and its driver with guards; every warning is an error."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None, "a machine that runs the tests has a C compiler"
    made = tmp_path_factory.mktemp("native") / "mutations"
    sources = [*sorted(SOURCES.glob("*.c")), DRIVER]
    subprocess.run(
        [compiler, "-g", "-O1", "-std=c11", *GUARDS, *WARNINGS, "-I", SOURCES, "-o", made, *sources], check=True
    )
    return made


def bodies(folder: Path) -> list[Path]:
    """Write bodies of every kind that are read, and some that are not."""
    random = Random(5)
    texts = [body_json(random, batch=size) for size in (1, 2, 12)]
    texts += ["\n".join(event_text(random, 0.0) for _ in range(5)) for _ in range(6)]
    texts += ["[" + ",".join(event_text(random, 0.02) for _ in range(8)) + "]" for _ in range(12)]
    texts += [event_text(random, 0.1) for _ in range(20)]
    paths = [folder / f"body-{number}" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text.replace('{"type"', '{"id":"i","type"').encode("utf-8", "surrogatepass"))
    return paths


def test_mutated_bodies_touch_no_memory_but_their_own(driver: Path, tmp_path: Path) -> None:
    found = subprocess.run([driver, str(BODIES), "11", *bodies(tmp_path)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-4_000:]
    read, doubted = map(int, found.stdout.split())
    assert read + doubted == BODIES
    assert min(read, doubted) > BODIES // 10
