"""Whether a signal is one: its condition, its scope, its period. That meter and channels exist is looked up when it is put."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tallystick.amount import AmountOutOfRange, format_amount
from tallystick.errors import InvalidDefinition
from tallystick.event import CUSTOMER_LENGTH_MAX, PROPERTY_NAME_LENGTH_MAX
from tallystick.usage.event_filter import check_filter, is_text
from tallystick.usage.local_calendar import zone_names

from .channel_definition import check_key, is_plain_text
from .signal import CUSTOMER_ZONE, EACH_CUSTOMER, Condition, ConditionType, Digest, Measure, Signal

SIGNALS_MAX: Final = 10_000
THRESHOLDS_MAX: Final = 16
CHANNELS_OF_A_SIGNAL_MAX: Final = 16
GROUPS_MAX: Final = 4
TEMPLATE_LENGTH_MAX: Final = 8_192
SILENCE_MIN_S: Final = 60
SILENCE_MAX_S: Final = 366 * 86_400
_NAME_LENGTH_MAX: Final = 256
_CHANGES: Final = (ConditionType.ABSOLUTE_CHANGE, ConditionType.PERCENT_CHANGE)


def checked_signal(signal: Signal) -> Signal:
    """Return the signal, or raise `InvalidDefinition` naming the first field that breaks a rule."""
    check_key("key", signal.key)
    check_key("meter", signal.meter)
    if signal.name is not None and not (1 <= len(signal.name) <= _NAME_LENGTH_MAX and is_plain_text(signal.name)):
        raise InvalidDefinition("name", f"must have 1 to {_NAME_LENGTH_MAX} characters, and no control characters")
    if signal.measure is Measure.COST:
        raise InvalidDefinition("measure", "cost comes with rate cards, which this version does not have: watch usage")
    _check_scope(signal)
    _check_owner(signal)
    _check_condition(signal.condition)
    if signal.condition.type is ConditionType.NO_DATA and signal.customer is None:
        raise InvalidDefinition(
            "scope.customer", "no_data watches a customer, or each (*): silence of all together is an outage"
        )
    _check_channels(signal)
    if signal.template is not None and not 1 <= len(signal.template) <= TEMPLATE_LENGTH_MAX:
        raise InvalidDefinition("template", f"must have 1 to {TEMPLATE_LENGTH_MAX} characters")
    if signal.template is not None and signal.digest is not Digest.NONE:
        raise InvalidDefinition("template", "is for messages of one firing each: leave out template or digest")
    return signal


def _check_scope(signal: Signal) -> None:
    if signal.customer is not None and not is_text(signal.customer, CUSTOMER_LENGTH_MAX):
        raise InvalidDefinition(
            "scope.customer",
            f"is a customer's key of 1 to {CUSTOMER_LENGTH_MAX} characters, * for each, or absent for all together",
        )
    check_filter(signal.filter, lambda detail: InvalidDefinition("filter", detail))
    if len(signal.group_by) > GROUPS_MAX:
        raise InvalidDefinition("group_by", f"{len(signal.group_by)} names are more than {GROUPS_MAX}")
    if len(set(signal.group_by)) < len(signal.group_by):
        raise InvalidDefinition("group_by", "each name may be given once")
    for name in signal.group_by:
        if name == "customer":
            raise InvalidDefinition("group_by", 'names properties; for each customer on its own, scope.customer is "*"')
        if not is_text(name, PROPERTY_NAME_LENGTH_MAX):
            raise InvalidDefinition("group_by", f"{name[:64]!a} is no property name")
    if signal.timezone == CUSTOMER_ZONE:
        if signal.customer is None:
            raise InvalidDefinition(
                "timezone", f"{CUSTOMER_ZONE!r} needs a customer, or each (*): all together have no zone"
            )
    elif signal.timezone not in zone_names():
        raise InvalidDefinition(
            "timezone", f"{signal.timezone[:64]!a} is no IANA time zone, such as Europe/Berlin, nor {CUSTOMER_ZONE!r}"
        )


def _check_owner(signal: Signal) -> None:
    if signal.owner is not None and (signal.owner == EACH_CUSTOMER or signal.customer != signal.owner):
        raise InvalidDefinition(
            "owner", "a customer's own signal watches that customer alone: scope.customer has to be the same key"
        )


def _check_condition(condition: Condition) -> None:
    for field, figure in (("value", condition.value), ("limit", condition.limit), ("floor", condition.floor)):
        if figure is not None:
            _check_figure(f"condition.{field}", figure)
    if condition.type is ConditionType.THRESHOLD:
        _check_threshold(condition)
    elif condition.type in _CHANGES:
        _check_change(condition)
    else:
        _check_silence(condition)


def _check_threshold(condition: Condition) -> None:
    _refuse_given(condition, "floor", "silence_s")
    if condition.value is not None and (condition.thresholds or condition.limit is not None):
        raise InvalidDefinition(
            "condition",
            "a threshold has either one value, or thresholds, which may be percent of a limit",
        )
    if condition.value is None and not condition.thresholds and condition.limit is None:
        raise InvalidDefinition("condition", "a threshold needs a value, or thresholds, or a limit")
    if len(condition.thresholds) > THRESHOLDS_MAX:
        raise InvalidDefinition("condition.thresholds", f"{len(condition.thresholds)} are more than {THRESHOLDS_MAX}")
    if len(set(condition.thresholds)) < len(condition.thresholds):
        raise InvalidDefinition("condition.thresholds", "each may be given once")
    for figure in condition.thresholds:
        _check_figure("condition.thresholds", figure)
    if condition.limit is not None:
        if condition.limit <= 0:
            raise InvalidDefinition("condition.limit", "must be more than 0, since thresholds are percent of it")
        if any(not 0 < percent <= 10_000 for percent in condition.thresholds):  # noqa: PLR2004 - a hundred times the limit
            raise InvalidDefinition("condition.thresholds", "percent of a limit lie above 0 and up to 10000")


def _check_change(condition: Condition) -> None:
    _refuse_given(
        condition, "limit", "silence_s", *(("floor",) if condition.type is ConditionType.ABSOLUTE_CHANGE else ())
    )
    if condition.thresholds:
        raise InvalidDefinition("condition.thresholds", "belong to a threshold; a change has one value")
    if condition.value is None or condition.value <= 0:
        unit = "percent" if condition.type is ConditionType.PERCENT_CHANGE else "the meter's unit"
        raise InvalidDefinition(
            "condition.value", f"a change needs its size in {unit}, more than 0; its sign is in direction"
        )
    if condition.floor is not None and condition.floor < 0:
        raise InvalidDefinition("condition.floor", "must not be negative")


def _check_silence(condition: Condition) -> None:
    _refuse_given(condition, "value", "limit", "floor")
    if condition.thresholds:
        raise InvalidDefinition("condition.thresholds", "belong to a threshold")
    if condition.silence_s is None or not SILENCE_MIN_S <= condition.silence_s <= SILENCE_MAX_S:
        raise InvalidDefinition(
            "condition.silence_s", f"no_data needs the seconds of silence, {SILENCE_MIN_S} to {SILENCE_MAX_S}"
        )


def _refuse_given(condition: Condition, *fields: str) -> None:
    for field in fields:
        if getattr(condition, field) is not None:
            raise InvalidDefinition(f"condition.{field}", f"means nothing for {condition.type}")


def _check_figure(field: str, figure: Decimal) -> None:
    if not figure.is_finite():
        raise InvalidDefinition(field, "is no number")
    try:
        exact = Decimal(format_amount(figure))
    except AmountOutOfRange as error:
        raise InvalidDefinition(field, str(error)) from error
    if exact != figure:
        raise InvalidDefinition(field, "has more than 12 decimals")


def _check_channels(signal: Signal) -> None:
    if len(signal.channels) > CHANNELS_OF_A_SIGNAL_MAX:
        raise InvalidDefinition("channels", f"{len(signal.channels)} are more than {CHANNELS_OF_A_SIGNAL_MAX}")
    if len(set(signal.channels)) < len(signal.channels):
        raise InvalidDefinition("channels", "each may be given once")
    for key in signal.channels:
        check_key("channels", key)


def each_customer(signal: Signal) -> bool:
    """Whether every customer is watched on its own."""
    return signal.customer == EACH_CUSTOMER
