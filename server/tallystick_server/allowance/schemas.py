"""How an allowance looks in JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tallystick.signals.allowance import Allowance, AllowanceState, LimitStanding
from tallystick.signals.signal import Op, Period
from tallystick_server.json_values import (
    NULL,
    Number,
    NumberOrNull,
    Timestamp,
    number,
    number_or_null,
    timestamp,
    timestamp_or_null,
)


class LimitOut(msgspec.Struct, kw_only=True):
    """One limit, by the key of the signal that sets it, and how the customer stands to it.

    `used` is the meter's figure of the period, null where it has none (the largest of nothing); `remaining` is never below 0. `level`
    counts the thresholds that are passed. With a `filter` only some usage counts; `group` names the group of a limit for each group.
    """

    signal: Annotated[str, msgspec.Meta(examples=["spend-cap"])]
    limit: Number
    used: NumberOrNull
    remaining: Number
    state: AllowanceState
    op: Op
    level: int
    period: Period
    timezone: str
    period_start: Timestamp
    resets_at: Timestamp
    filter: dict[str, list[str]]
    group: dict[str, str | None]


class AllowanceOut(msgspec.Struct, kw_only=True):
    """What a customer has left. `limit` to `resets_at` are those of the tightest limit, which is the first of `limits`.

    `state`: `ok`, `warning` (a threshold below the limit is passed), `exceeded`, or `unlimited`: there is no limit, and figures are null.
    Every event that was acknowledged before the question is within: all of the log up to `position`, and what came since, if it did.
    """

    customer: str
    meter: str
    state: AllowanceState
    limit: NumberOrNull
    used: NumberOrNull
    remaining: NumberOrNull
    resets_at: Timestamp | None
    position: int
    limits: list[LimitOut]


def allowance_out(allowance: Allowance) -> AllowanceOut:
    """Return an allowance as it is answered."""
    tightest = allowance.tightest
    return AllowanceOut(
        customer=allowance.customer,
        meter=allowance.meter,
        state=AllowanceState.UNLIMITED if tightest is None else tightest.state,
        limit=NULL if tightest is None else number(tightest.limit),
        used=NULL if tightest is None else number_or_null(tightest.used),
        remaining=NULL if tightest is None else number(tightest.remaining),
        resets_at=timestamp_or_null(None if tightest is None else tightest.resets_at),
        position=allowance.position,
        limits=[_limit_out(limit) for limit in allowance.limits],
    )


def _limit_out(limit: LimitStanding) -> LimitOut:
    return LimitOut(
        signal=limit.signal,
        limit=number(limit.limit),
        used=number_or_null(limit.used),
        remaining=number(limit.remaining),
        state=limit.state,
        op=limit.op,
        level=limit.level,
        period=limit.period,
        timezone=limit.timezone,
        period_start=timestamp(limit.period_start),
        resets_at=timestamp(limit.resets_at),
        filter={name: list(texts) for name, texts in limit.filter.items()},
        group=limit.group,
    )
