"""`tallystick verify`: whether the log is what was written, and whether every projection follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from .asked_appliance import NOBODY, AskedAppliance
from .asking import AsJson
from .directory import ConfigFile, DataDirectory, existing, settings_of
from .failure import BadUse
from .terminal import Terminal

if TYPE_CHECKING:
    from .client import ApplianceClient
    from .offline_walk import Finding

app = App(
    name="verify",
    help="Check the hash chain and every projection against the log, or a saved statement.",
    help_epilogue="Examples:\n  tallystick verify --data ./tallystick-data\n"
    "  tallystick verify --url http://127.0.0.1:7070   # asks the running appliance\n"
    "  tallystick verify --statement november.json --events november.jsonl \\\n"
    "      --receipt receipt.json\n\n"
    "Exit 0: everything agrees. Exit 1: something differs; the first bad position is named.",
)


@app.default
def verify(
    *,
    data: DataDirectory = None,
    config: ConfigFile = None,
    asked: AskedAppliance = NOBODY,
    statement: Annotated[
        str | None, Parameter(help="Check this saved statement instead; asks nobody, reads no directory.")
    ] = None,
    events: Annotated[
        str | None, Parameter(help="With --statement: the events that root and figures must follow from.")
    ] = None,
    receipt: Annotated[
        str | None, Parameter(help="With --statement: the proof that one event is among those it counts.")
    ] = None,
    json: AsJson = False,
) -> int:
    """Walk the chain, derive each projection again from the log, and compare; or check a saved statement by itself."""
    terminal = Terminal.of_process()
    appliance = asked.connection(data=data)
    if statement is not None:
        from .verify_statement import verify_statement

        if data is not None or appliance is not None:
            raise BadUse("--statement is checked by itself; give it without --data, --url and --connection")
        return verify_statement(terminal, statement, receipt=receipt, events=events, as_json=json)
    if events is not None or receipt is not None:
        raise BadUse("--events and --receipt belong to a --statement")
    if appliance is not None:
        with appliance.client() as client:
            finding = ask(client)
    else:
        from .offline import walk

        finding = walk("verify", existing(settings_of(data, config)), config, terminal)
    is_good = finding.first_bad_position is None and not finding.problems
    if json:
        answer = {"ok": is_good} | msgspec.to_builtins(finding)
        answer.pop("type", None)
        terminal.json(msgspec.json.encode(answer))
    elif is_good:
        terminal.say(
            f"Everything agrees: {finding.events:,} events in {finding.blocks:,} blocks, position {finding.position:,}."
        )
        terminal.say(f"Head {finding.head_hash}")
    else:
        if finding.first_bad_position is not None:
            terminal.say(f"First bad position: {finding.first_bad_position}")
        for problem in finding.problems:
            terminal.say(f"  {problem}")
    if not is_good:
        terminal.note("tallystick: verification failed")
    return 0 if is_good else 1


class VerifiedHead(msgspec.Struct, frozen=True):
    """Where its log ends."""

    position: int
    hash: str


class Verified(msgspec.Struct, frozen=True):
    """What the running appliance answers."""

    head: VerifiedHead
    blocks: int
    events: int
    problems: list[str]
    first_bad_position: int | None = None


def ask(client: ApplianceClient) -> Finding:
    """Return what the running appliance finds; it takes time in proportion to the log."""
    from .client import decode
    from .offline_walk import Finding

    answer = decode(client.call("POST", "/v1/log/verify", timeout_s=24 * 3_600.0), Verified)
    return Finding(
        position=answer.head.position,
        blocks=answer.blocks,
        events=answer.events,
        head_hash=answer.head.hash,
        first_bad_position=answer.first_bad_position,
        problems=answer.problems,
    )
