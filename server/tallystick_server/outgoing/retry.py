"""When to try again: growing delays with jitter, for 24 hours, and not before the receiver said."""

from __future__ import annotations

from tallystick.entropy import Entropy
from tallystick.instant import NS_PER_S, Instant
from tallystick.signals.delivery import TRIED_FOR_NS

# As Standard Webhooks suggests: seconds at first, in case it was a moment's trouble, then hours.
DELAYS_S = (5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400)
_JITTER = 0.2


def retry_due_at(
    *, attempt: int, now: Instant, tried_from: Instant, retry_after_s: float | None, entropy: Entropy
) -> Instant | None:
    """Return when to try again after the `attempt`-th try (1 is the first); None when that would be past the 24 hours.

    The delay is up to a fifth shorter or longer, so that channels that failed together do not come back together.
    """
    delay_s = DELAYS_S[min(attempt, len(DELAYS_S)) - 1]
    share = int.from_bytes(entropy.token_bytes(2)) / 65_535
    delay_s *= 1 - _JITTER + 2 * _JITTER * share
    if retry_after_s is not None:
        delay_s = max(delay_s, retry_after_s)
    # In seconds first: a receiver may ask for a million years, which no instant holds.
    if delay_s * NS_PER_S > tried_from + TRIED_FOR_NS - now:
        return None
    return Instant(now + round(delay_s * NS_PER_S))
