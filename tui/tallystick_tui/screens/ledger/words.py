"""What the ledger says in words: how a verification goes or ended, and how to keep a copy."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tallystick_tui.connection.status import EndedVerification, RunningVerification, Verification
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import harmless
from tallystick_tui.texts.moments import age, date_and_time, parsed

PROBLEMS_SHOWN: Final = 20
_BAR_CELLS: Final = 30
BACKUPS: Final = """There is no backup command yet. Until there is one:

1. Stop the appliance: SIGTERM, or systemctl stop. It answers what it took, and ends.
2. Copy the whole data directory as it is:
   cp -a tallystick-data COPY
3. Start it again: senders that got no answer send again, and nothing is counted twice.
4. Check the copy: tallystick verify --data COPY

partials/ may be left out: it is a cache. The file secrets.key opens channels' addresses and secrets: keep it apart from the copy, \
which without it keeps everything but those.

Do not copy while it runs: files of one moment and of another would be mixed.

Keep the hash of the head with the copy (Y copies it): whoever has it can prove later that nothing before it was changed."""
STEPS: Final = {"walk": "walking the chain", "compare": "comparing what follows from it", "done": "done"}


def running_words(running: RunningVerification, now: datetime, *, is_plain: bool) -> str:
    """Return how far it is, with a bar unless plain words are wanted."""
    share = running.done / running.total if running.total else 1.0
    filled = round(min(share, 1.0) * _BAR_CELLS)
    bar = "" if is_plain else f"{'█' * filled}{'░' * (_BAR_CELLS - filled)} "
    begun = age(parsed(running.started_at), now)
    return (
        f"{bar}{min(share, 1.0) * 100:.0f} %\n{STEPS.get(running.step, running.step)}\n"
        f"position {exact(running.done)} of {exact(running.total)}\nbegan {begun} · x stops it"
    )


def ended_words(ended: EndedVerification, zone: ZoneInfo, now: datetime) -> str:
    """Return how one ended; what is wrong with the first bad position first."""
    at = parsed(ended.ended_at)
    when = f"{date_and_time(at, zone)} · {age(at, now)}"
    report = ended.report
    if report is None:
        return f"! {ended.outcome}: {harmless(ended.detail)}\n{when}"
    events = "1 event" if report.events == 1 else f"{exact(report.events)} events"
    scope = f"{events} in {exact(report.blocks)} blocks, to position {exact(report.head.position)}"
    if report.ok:
        return f"✓ everything agrees\n{scope}\n{when}"
    first = report.first_bad_position
    place = (
        "! something differs" if first is None else f"! the first bad position is {exact(first)}: all before it agrees"
    )
    listed = "\n".join(f"  {harmless(problem)}" for problem in report.problems[:PROBLEMS_SHOWN])
    more = len(report.problems) - PROBLEMS_SHOWN
    return f"{place}\n{listed}" + (f"\n  and {exact(more)} more" if more > 0 else "") + f"\n{scope}\n{when}"


def verification_words(verification: Verification | None, zone: ZoneInfo, now: datetime, *, is_plain: bool) -> str:
    """Return what runs, or how the last one ended, or that there was none."""
    if verification is None:
        return ""
    if verification.running is not None:
        return running_words(verification.running, now, is_plain=is_plain)
    if verification.last is not None:
        return ended_words(verification.last, zone, now)
    return "not verified since the appliance was started\nv walks the whole chain, and compares everything that follows from it"
