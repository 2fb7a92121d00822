"""`tallystick verify --statement`: documents checked with nothing but themselves; no appliance is asked, nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from tallystick.statement.check import Check, check_claims, check_events, check_proof
from tallystick.statement.proof import decode_proof
from tallystick.statement.statement import InvalidStatement, decode_statement

from .failure import Failure
from .intake.input_file import InputFile
from .terminal import Terminal


class Verdict(msgspec.Struct, frozen=True):
    """What `--json` answers."""

    ok: bool
    checks: list[Check]


def verify_statement(
    terminal: Terminal, statement: str, *, receipt: str | None, events: str | None, as_json: bool
) -> int:
    """Check a statement, and what else was given, against it; return 0 if everything holds."""
    checks: list[Check] = []
    try:
        document = decode_statement(_read(statement))
        checks += check_claims(document)
        if events is not None:
            with InputFile(events, "jsonl").stream() as stream:
                checks += _named(events, check_events(document, _lines(stream)))
        if receipt is not None:
            checks += _named(receipt, check_proof(document, decode_proof(_read(receipt))))
    except InvalidStatement as error:
        checks.append(Check(str(error), is_good=False))
    is_good = all(check.is_good for check in checks)
    if as_json:
        terminal.json(msgspec.json.encode(Verdict(is_good, checks)))
    else:
        for check in checks:
            terminal.step(check.what, is_good=check.is_good)
    if not is_good:
        terminal.note("tallystick: verification failed")
    elif events is None and not as_json:
        terminal.note("whether the figures follow from the events is checked with --events FILE")
    return 0 if is_good else 1


def _named(file: str, checks: list[Check]) -> list[Check]:
    return [msgspec.structs.replace(check, what=f"{file}: {check.what}") for check in checks]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def _lines(stream: Iterator[bytes]) -> Iterator[bytes]:
    for line in stream:
        if text := line.strip():
            yield text
