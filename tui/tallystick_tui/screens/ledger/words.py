"""What the ledger says in words: how a verification goes or ended, and which backups there are."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tallystick_tui.connection.status import EndedVerification, LogHead, RunningVerification, Verification
from tallystick_tui.texts.figures import bytes_of, exact
from tallystick_tui.texts.harmless import harmless
from tallystick_tui.texts.moments import age, date_and_time, parsed

from .backups import Backup, Backups, kept_at

PROBLEMS_SHOWN: Final = 20
_BAR_CELLS: Final = 30
BACKUPS_NONE: Final = """no backup was taken from here yet

b takes one into a folder of this machine, while the appliance runs."""
BACKUPS_AGAIN: Final = "b takes what came since, or one into another folder."
BACKUPS_BESIDES: Final = """tallystick backup does the same from cron; tallystick restore makes a data directory of it. All figures follow \
from it; the key that opens channels' secrets is not in it."""
STEPS: Final = {"walk": "walking the chain", "compare": "comparing what follows from it", "done": "done"}


def running_words(running: RunningVerification, now: datetime, *, is_plain: bool) -> str:
    """Return how far it is, with a bar unless plain words are wanted."""
    share = running.done / running.total if running.total else 1.0
    bar = _bar(share, is_plain=is_plain)
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


def backup_words(backup: Backup, head: LogHead | None, now: datetime) -> str:
    """Return what is in one folder, and how far the log has gone on since."""
    name = harmless(str(backup.folder))
    kept = backup.head
    if kept is None:
        return f"{name}\n! {harmless(backup.problem)}"
    behind = head.position - kept.position if head is not None else 0
    has = f"position {exact(kept.position)}, {'all there is' if behind <= 0 else f'{exact(behind)} behind'}"
    return f"{name}\n  {age(kept_at(kept, now), now)} · {bytes_of(kept.bytes)}\n  {has}"


def backups_words(backups: Backups, head: LogHead | None, now: datetime, *, is_plain: bool) -> str:
    """Return the one that is being taken, those that were, and what to do next."""
    parts: list[str] = []
    if backups.running is not None:
        share = backups.running.share
        parts.append(f"{harmless(str(backups.running.folder))}\n{_bar(share, is_plain=is_plain)}{share * 100:.0f} %")
    parts += [backup_words(backup, head, now) for backup in backups.taken]
    has_some = bool(backups.taken or backups.running)
    parts.append(f"{BACKUPS_AGAIN}\n{BACKUPS_BESIDES}" if has_some else f"{BACKUPS_NONE}\n\n{BACKUPS_BESIDES}")
    return "\n\n".join(parts)


def _bar(share: float, *, is_plain: bool) -> str:
    filled = round(min(share, 1.0) * _BAR_CELLS)
    return "" if is_plain else f"{'█' * filled}{'░' * (_BAR_CELLS - filled)} "


def verification_words(verification: Verification | None, zone: ZoneInfo, now: datetime, *, is_plain: bool) -> str:
    """Return what runs, or how the last one ended, or that there was none."""
    if verification is None:
        return ""
    if verification.running is not None:
        return running_words(verification.running, now, is_plain=is_plain)
    if verification.last is not None:
        return ended_words(verification.last, zone, now)
    return "not verified since the appliance was started\nv walks the whole chain, and compares everything that follows from it"
