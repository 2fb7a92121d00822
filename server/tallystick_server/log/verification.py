"""The verification of the log that runs now, and how the last one ended.

Promises: one runs at a time; how far it is can be read from any thread while it runs; it ends early when somebody stops it or the appliance
drains, at its next report. Does not: outlive the process: after a restart nothing is known of an earlier one.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tallystick.errors import Closing, TallystickError
from tallystick.instant import Clock, Instant
from tallystick.progress import Progress
from tallystick.store import Store, VerifyReport
from tallystick_server.problem import Refusal
from tallystick_server.store_access import StoreAccess


class Outcome(StrEnum):
    """How a verification ended."""

    AGREES = "agrees"
    DIFFERS = "differs"
    STOPPED = "stopped"
    FAILED = "failed"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """One verification that is over; `report` is None where it did not come to its end, and `detail` says why."""

    started_at: Instant
    ended_at: Instant
    outcome: Outcome
    report: VerifyReport | None
    detail: str


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One verification that runs, and how far it is."""

    started_at: Instant
    progress: Progress


class _Stopped(TallystickError):
    """Somebody stopped it."""


class Verification:
    """Runs verifications, one at a time. `running` and `last` are swapped whole, so that readers need no lock."""

    def __init__(self, access: StoreAccess, *, clock: Clock) -> None:
        self._access, self._clock = access, clock
        self.running: Running | None = None
        self.last: Ended | None = None
        self._is_stopped = False

    async def run(self) -> VerifyReport:
        """Verify the whole log. Raises `Refusal`: 503 while another one runs, 409 when it was stopped."""
        store = self._access.store
        try:
            return await self._access.long.run(lambda: self._verified(store))
        except _Stopped as error:
            raise Refusal(409, "stopped", "the verification was stopped before it came to its end") from error

    def stop(self) -> bool:
        """Have the running one end at its next report. False if none runs."""
        self._is_stopped = self.running is not None
        return self._is_stopped

    def _verified(self, store: Store) -> VerifyReport:
        """Run in the one thread that verifications have."""
        started_at = self._clock.now()
        self._is_stopped = False
        self.running = Running(started_at=started_at, progress=Progress("walk", 0, store.log_head().position))

        def report(progress: Progress) -> None:
            if self._access.is_draining:
                raise Closing("the appliance is shutting down")
            if self._is_stopped:
                raise _Stopped("the verification was stopped")
            self.running = Running(started_at=started_at, progress=progress)

        def ended(outcome: Outcome, found: VerifyReport | None = None, detail: str = "") -> None:
            self.last = Ended(
                started_at=started_at, ended_at=self._clock.now(), outcome=outcome, report=found, detail=detail
            )

        try:
            found = store.verify(report)
        except _Stopped:
            ended(Outcome.STOPPED, detail="it was stopped before it came to its end")
            raise
        except BaseException as error:
            ended(
                Outcome.FAILED,
                detail=str(error) if isinstance(error, TallystickError) else "the log of the appliance says why",
            )
            raise
        else:
            is_good = found.first_bad_position is None and not found.problems
            ended(Outcome.AGREES if is_good else Outcome.DIFFERS, found)
            return found
        finally:
            self.running = None
