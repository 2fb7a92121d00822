"""How signals look in JSON, and how a body becomes one."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.signals.channel_definition import CHANNELS_MAX
from tallystick.signals.signal import (
    Condition,
    ConditionType,
    Digest,
    Direction,
    Measure,
    Op,
    Period,
    Signal,
)
from tallystick.signals.signal_definition import SILENCE_MAX_S, SILENCE_MIN_S, THRESHOLDS_MAX
from tallystick_server.json_values import (
    Number,
    Timestamp,
    invalid_parameter,
    number,
    timestamp,
)
from tallystick_server.merge_patch import kept_or, kept_or_default, merged
from tallystick_server.usage.asked import filter_text
from tallystick_server.usage.schemas import FilterValue

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.\-]+$", examples=["spend-cap"])]
MeterKey = Annotated[str, msgspec.Meta(min_length=1, max_length=128, examples=["tokens"])]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["Monthly cap"])]
Amount = Annotated[
    Decimal,
    msgspec.Meta(description="A number, or its digits as a string."),
]
Amounts = Annotated[list[Amount], msgspec.Meta(max_length=THRESHOLDS_MAX, examples=[[50, 80, 100]])]
Customer = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=256, description="A customer's key, or `*`: each customer on its own.", examples=["*"]
    ),
]
Owner = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=256,
        description="The customer whose own signal it is: it watches that customer alone, and uses the kinds of channel that the setting "
        "`customer_channels` allows.",
        examples=["acme"],
    ),
]
GroupBy = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=256)]],
    msgspec.Meta(max_length=64, description="Each value of these properties is watched on its own."),
]
Zone = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        description="The IANA name of the calendar that periods follow, or `customer`: each customer's own.",
        examples=["Europe/Berlin", "customer"],
    ),
]
ChannelKeys = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=128)]],
    msgspec.Meta(max_length=CHANNELS_MAX, description="Where messages go.", examples=[["ops"]]),
]
Template = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=8_192,
        description="Jinja for the text of messages that are no webhooks, in place of the default; tried with an example when it is saved.",
        examples=["{{ who }} is at {{ percent }} % of {{ limit }}"],
    ),
]
SilenceS = Annotated[
    int,
    msgspec.Meta(
        ge=SILENCE_MIN_S,
        le=SILENCE_MAX_S,
        description="For `no_data`: after how many seconds without an event it fires.",
    ),
]
# Not the enumeration itself: reconciling has one of that name, and the document would name both by their modules.
DirectionName = Literal["up", "down", "any"]
Filter = dict[str, list[FilterValue] | FilterValue]


class SignalScope(msgspec.Struct, forbid_unknown_fields=True):
    """Who is watched: a customer, each on its own (`*`), or, without one, all together."""

    customer: Customer | None = None


class ConditionIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When a signal fires.

    `threshold`: the figure is `op` the `value`; or it passes each of `thresholds`, which are percent where there is a `limit`.
    `absolute_change`, `percent_change`: the period so far differs by `value` from as much of the period before, in the `direction`;
    a percent change is quiet while both figures are below the `floor`. `no_data`: nothing came for `silence_s` seconds.
    """

    type: ConditionType
    op: Op | None = None
    value: Amount | None = None
    thresholds: Amounts | None = None
    limit: Amount | None = None
    direction: DirectionName | None = None
    floor: Amount | None = None
    silence_s: SilenceS | None = None


class ConditionPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A condition that takes the place of the one before if it has a `type`; otherwise what is absent stays, and null clears."""

    type: ConditionType | UnsetType = UNSET
    op: Op | UnsetType | None = UNSET
    value: Amount | UnsetType | None = UNSET
    thresholds: Amounts | UnsetType | None = UNSET
    limit: Amount | UnsetType | None = UNSET
    direction: DirectionName | UnsetType | None = UNSET
    floor: Amount | UnsetType | None = UNSET
    silence_s: SilenceS | UnsetType | None = UNSET


class SignalFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is watched, when it fires, and who is told."""

    meter: MeterKey
    condition: ConditionIn
    name: Name | None = None
    measure: Measure = Measure.USAGE
    scope: SignalScope = msgspec.field(default_factory=SignalScope)
    filter: Filter = {}
    group_by: GroupBy = []
    period: Period = Period.MONTH
    timezone: Zone = "UTC"
    channels: ChannelKeys = []
    digest: Digest = Digest.NONE
    template: Template | None = None
    enabled: bool = True
    owner: Owner | None = None


class SignalDraft(SignalFields, kw_only=True, forbid_unknown_fields=True):
    """A signal to try, which needs no key yet."""

    key: Key = "draft"


class SignalCreate(SignalFields, kw_only=True, forbid_unknown_fields=True):
    """A signal to define."""

    key: Key


class SignalUpdate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A merge patch: what is absent stays, null clears; `scope` and `filter` are merged by name, and so is a `condition` without `type`.

    A change of anything but name, channels, digest and template arms every subject again.
    """

    name: Name | UnsetType | None = UNSET
    meter: MeterKey | UnsetType = UNSET
    measure: Measure | UnsetType = UNSET
    scope: SignalScope | UnsetType | None = UNSET
    filter: dict[str, list[FilterValue] | FilterValue | None] | UnsetType | None = UNSET
    group_by: GroupBy | UnsetType | None = UNSET
    period: Period | UnsetType = UNSET
    timezone: Zone | UnsetType | None = UNSET
    condition: ConditionPatch | UnsetType = UNSET
    channels: ChannelKeys | UnsetType | None = UNSET
    digest: Digest | UnsetType = UNSET
    template: Template | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    owner: Owner | UnsetType | None = UNSET


class ConditionOut(msgspec.Struct, kw_only=True):
    """A condition: `type`, and what means something for it."""

    type: ConditionType
    op: Op | UnsetType = UNSET
    value: Number | UnsetType = UNSET
    thresholds: list[Number] | UnsetType = UNSET
    limit: Number | UnsetType = UNSET
    direction: DirectionName | UnsetType = UNSET
    floor: Number | UnsetType = UNSET
    silence_s: int | UnsetType = UNSET


class SignalOut(msgspec.Struct, kw_only=True):
    """A signal; `version` grows with each change, and `snoozed_until` says until when it is snoozed as a whole."""

    key: str
    name: str | None
    meter: str
    measure: Measure
    scope: SignalScope
    filter: dict[str, list[str]]
    group_by: list[str]
    period: Period
    timezone: str
    condition: ConditionOut
    channels: list[str]
    digest: Digest
    template: str | None
    enabled: bool
    owner: str | None
    snoozed_until: Timestamp | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class SignalsOut(msgspec.Struct):
    """A page of signals, by key."""

    items: list[SignalOut]
    next_cursor: str | None


def signal_of(draft: SignalDraft | SignalCreate) -> Signal:
    """Return the signal that a body describes."""
    return Signal(
        key=draft.key,
        name=draft.name,
        meter=draft.meter,
        measure=draft.measure,
        customer=draft.scope.customer,
        filter={name: _texts(name, values) for name, values in draft.filter.items()},
        group_by=tuple(draft.group_by),
        period=draft.period,
        timezone=draft.timezone,
        condition=_condition_of(draft.condition),
        channels=tuple(draft.channels),
        digest=draft.digest,
        template=draft.template,
        enabled=draft.enabled,
        owner=draft.owner,
    )


def patched(signal: Signal, patch: SignalUpdate) -> Signal:
    """Return the signal with the patch applied."""
    filter_patch: dict[str, tuple[str, ...] | None] | UnsetType | None = patch.filter  # type: ignore[assignment]
    if isinstance(patch.filter, dict):
        filter_patch = {name: None if values is None else _texts(name, values) for name, values in patch.filter.items()}
    scope = SignalScope(signal.customer) if isinstance(patch.scope, UnsetType) else patch.scope or SignalScope()
    return msgspec.structs.replace(
        signal,
        name=kept_or(patch.name, signal.name),
        meter=kept_or(patch.meter, signal.meter),
        measure=kept_or(patch.measure, signal.measure),
        customer=scope.customer,
        filter=merged(filter_patch, signal.filter),
        group_by=tuple(kept_or_default(patch.group_by, list(signal.group_by), [])),
        period=kept_or(patch.period, signal.period),
        timezone=kept_or_default(patch.timezone, signal.timezone, "UTC"),
        condition=_patched_condition(signal.condition, patch.condition),
        channels=tuple(kept_or_default(patch.channels, list(signal.channels), [])),
        digest=kept_or(patch.digest, signal.digest),
        template=kept_or(patch.template, signal.template),
        enabled=kept_or(patch.enabled, signal.enabled),
        owner=kept_or(patch.owner, signal.owner),
    )


def signal_out(signal: Signal, *, snoozed_until: str | None) -> SignalOut:
    """Return a signal as it is answered."""
    return SignalOut(
        key=signal.key,
        name=signal.name,
        meter=signal.meter,
        measure=signal.measure,
        scope=SignalScope(signal.customer),
        filter={name: list(texts) for name, texts in signal.filter.items()},
        group_by=list(signal.group_by),
        period=signal.period,
        timezone=signal.timezone,
        condition=condition_out(signal.condition),
        channels=list(signal.channels),
        digest=signal.digest,
        template=signal.template,
        enabled=signal.enabled,
        owner=signal.owner,
        snoozed_until=snoozed_until,
        version=signal.version,
        created_at=timestamp(signal.created_at),
        updated_at=timestamp(signal.updated_at),
    )


def condition_out(condition: Condition) -> ConditionOut:
    """Return a condition as it is answered: without the fields that mean nothing for it."""
    is_threshold = condition.type is ConditionType.THRESHOLD
    is_change = condition.type in (ConditionType.ABSOLUTE_CHANGE, ConditionType.PERCENT_CHANGE)
    return ConditionOut(
        type=condition.type,
        op=condition.op if is_threshold else UNSET,
        value=_number_or_unset(condition.value),
        thresholds=[number(each) for each in condition.thresholds] if condition.thresholds else UNSET,
        limit=_number_or_unset(condition.limit),
        direction=condition.direction.value if is_change else UNSET,
        floor=_number_or_unset(condition.floor),
        silence_s=UNSET if condition.silence_s is None else condition.silence_s,
    )


def signals_after(signals: Sequence[Signal], *, limit: int, cursor: str | None) -> tuple[list[Signal], str | None]:
    """Return the page of signals, which are in the order of their keys, past the cursor's, and the next cursor.

    Raises `Refusal` (400) for a foreign one.
    """
    after = "" if cursor is None else _key_of(cursor)
    rest = [signal for signal in signals if signal.key > after]
    return rest[:limit], _cursor_of(rest[limit - 1].key) if len(rest) > limit else None


def _condition_of(given: ConditionIn) -> Condition:
    return Condition(
        type=given.type,
        op=given.op or Op.AT_LEAST,
        value=given.value,
        thresholds=tuple(given.thresholds or ()),
        limit=given.limit,
        direction=Direction(given.direction or Direction.ANY),
        floor=given.floor,
        silence_s=given.silence_s,
    )


def _patched_condition(condition: Condition, patch: ConditionPatch | UnsetType) -> Condition:
    if isinstance(patch, UnsetType):
        return condition
    current = condition if isinstance(patch.type, UnsetType) else Condition(type=patch.type)
    return Condition(
        type=current.type,
        op=kept_or_default(patch.op, current.op, Op.AT_LEAST),
        value=kept_or(patch.value, current.value),
        thresholds=tuple(kept_or_default(patch.thresholds, list(current.thresholds), [])),
        limit=kept_or(patch.limit, current.limit),
        direction=Direction(kept_or_default(patch.direction, current.direction.value, "any")),
        floor=kept_or(patch.floor, current.floor),
        silence_s=kept_or(patch.silence_s, current.silence_s),
    )


def _number_or_unset(value: Decimal | None) -> msgspec.Raw | UnsetType:
    return UNSET if value is None else number(value)


def _texts(name: str, values: list[FilterValue] | FilterValue) -> tuple[str, ...]:
    return tuple(filter_text(name, value) for value in (values if isinstance(values, list) else [values]))


def _cursor_of(key: str) -> str:
    return base64.urlsafe_b64encode(b"signal\0" + key.encode()).decode().rstrip("=")


def _key_of(cursor: str) -> str:
    try:
        kind, _, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("\0")
    except ValueError:
        kind, key = "", ""
    if kind != "signal" or not key:
        raise invalid_parameter("cursor", "is none that this list gave out")
    return key
