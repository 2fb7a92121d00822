"""How meters look in JSON."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.instant import Instant
from tallystick.meter import Meter, MeterVersion
from tallystick.usage.aggregators import ListedAggregator
from tallystick.usage.skipped_events import SkipCode, SkippedEvent
from tallystick_server.events.schemas import EventOut, event_out
from tallystick_server.json_values import Moment, Timestamp, invalid_parameter, timestamp, timestamp_or_null
from tallystick_server.merge_patch import kept_or, kept_or_default, merged
from tallystick_server.program_version import program_version
from tallystick_server.usage.asked import filter_text
from tallystick_server.usage.schemas import FilterValue, UsageQuery

Key = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\-]*$", examples=["tokens"]),
]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["Tokens"])]
EventType = Annotated[str, msgspec.Meta(min_length=1, max_length=128, examples=["completion"])]
Field = Annotated[str, msgspec.Meta(min_length=1, max_length=300, examples=["properties.tokens"])]
Fields = Annotated[list[Field], msgspec.Meta(max_length=16)]
Aggregation = Annotated[str, msgspec.Meta(min_length=1, max_length=128, examples=["sum"])]
Dimensions = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=256)]],
    msgspec.Meta(max_length=64, examples=[["region", "model"]]),
]
FilterIn = dict[str, list[FilterValue] | FilterValue]
ShortText = Annotated[str, msgspec.Meta(max_length=256)]
TimeoutS = Annotated[
    int,
    msgspec.Meta(
        ge=1,
        le=10 * 366 * 86_400,
        description="For levels and durations: seconds after the last event of a series at which its level falls to 0.",
    ),
]
Series = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=300,
        description="For levels and durations: the property whose values are series of their own, as NAME or properties.NAME.",
        examples=["subscription"],
    ),
]
StatisticText = Annotated[
    str,
    msgspec.Meta(
        max_length=256,
        description="For levels: what of a window is its figure: peak (the default), low, closing or average (weighted by time).",
        examples=["peak"],
    ),
]
Options = dict[str, Any]  # Any: a plugin's aggregator defines what is in it, and checks it


class MeterFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a meter asks."""

    event_type: EventType
    aggregation: Aggregation
    name: Name | None = None
    field: Field = "value"
    fields: Fields = []
    filter: FilterIn = {}
    unit: ShortText | None = None
    dimensions: Dimensions = []
    timeout: TimeoutS | None = None
    series: Series | None = None
    statistic: StatisticText | None = None
    options: Options = {}


class MeterDraft(MeterFields, kw_only=True, forbid_unknown_fields=True):
    """A meter to try: a named question over events, which needs no key yet."""

    key: Key = "preview"


class MeterCreate(MeterFields, kw_only=True, forbid_unknown_fields=True):
    """A meter to define. It covers all events, those that came before it as well."""

    key: Key


class MeterUpdate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A merge patch: what is absent stays, null clears; `filter` and `options` are merged name by name."""

    name: Name | UnsetType = UNSET
    event_type: EventType | UnsetType = UNSET
    aggregation: Aggregation | UnsetType = UNSET
    field: Field | UnsetType | None = UNSET
    fields: Fields | UnsetType | None = UNSET
    filter: dict[str, list[FilterValue] | FilterValue | None] | UnsetType | None = UNSET
    unit: ShortText | UnsetType | None = UNSET
    dimensions: Dimensions | UnsetType | None = UNSET
    timeout: TimeoutS | UnsetType | None = UNSET
    series: Series | UnsetType | None = UNSET
    statistic: StatisticText | UnsetType | None = UNSET
    options: dict[str, Any] | UnsetType | None = UNSET  # Any: as `Options`
    archived: bool | UnsetType = UNSET


class MeterOut(msgspec.Struct, kw_only=True):
    """A meter; `version` grows with each change."""

    key: str
    name: str
    event_type: str
    aggregation: str
    field: str
    fields: list[str]
    filter: dict[str, list[str]]
    unit: str | None
    dimensions: list[str]
    timeout: int | None
    series: str | None
    statistic: str | None
    options: Options
    version: int
    created_at: Timestamp
    updated_at: Timestamp
    archived_at: Timestamp | None


class MeterVersionOut(MeterOut, kw_only=True):
    """A meter as it was from `position` on, a position of the log."""

    position: int


class MeterVersionsOut(msgspec.Struct):
    """Versions of one meter, newest first."""

    items: list[MeterVersionOut]
    next_cursor: str | None


class MetersOut(msgspec.Struct):
    """A page of meters, by key."""

    items: list[MeterOut]
    next_cursor: str | None


class SkipReasonOut(msgspec.Struct):
    """What is wrong with one field, as the meter names it."""

    field: str
    code: SkipCode
    detail: str


class SkippedEventOut(EventOut, kw_only=True):
    """An event that does not count for the meter, and why."""

    reasons: list[SkipReasonOut]


class SkippedOut(msgspec.Struct):
    """A page of skipped events, newest time first."""

    items: list[SkippedEventOut]
    next_cursor: str | None


class PreviewRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A meter that is not saved, and a question to it."""

    meter: MeterDraft
    query: UsageQuery


class SkippedQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Which skipped events; the fields are the parameters of `GET /v1/meters/{key}/skipped`."""

    start: Moment
    end: Moment | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=4_096)] | None = None


class PreviewSkippedRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A meter that is not saved, and a range in which it would skip events."""

    meter: MeterDraft
    query: SkippedQuery


class AggregatorOut(msgspec.Struct):
    """An aggregation that meters can name.

    `options` are the fields of a meter that it understands; `options_schema` is the JSON Schema of the field `options` of a plugin's.
    `package` and `version` say what it came with; `error` why a plugin cannot be used, null if it can.
    """

    name: str
    summary: str
    options: list[str]
    options_schema: dict[str, Any] | None  # Any: a JSON Schema
    source: Literal["built-in", "plugin"]
    package: str
    version: str
    error: str | None


class AggregatorsOut(msgspec.Struct):
    """Every aggregation, built in or from a plugin, by name."""

    items: list[AggregatorOut]
    next_cursor: str | None = None


def aggregator_out(listed: ListedAggregator) -> AggregatorOut:
    """Return an aggregation as it is listed."""
    return AggregatorOut(
        name=listed.name,
        summary=listed.summary,
        options=list(listed.options),
        options_schema=listed.options_schema,
        source=listed.source,
        package=listed.package or "tallystick",
        version=listed.package_version or program_version(),
        error=listed.error,
    )


def meter_of(draft: MeterDraft | MeterCreate) -> Meter:
    """Return the meter that a body describes."""
    return Meter(
        key=draft.key,
        name=draft.name or draft.key,
        event_type=draft.event_type,
        aggregation=draft.aggregation,
        field=draft.field,
        fields=tuple(draft.fields),
        filter=_filter(draft.filter),
        unit=draft.unit,
        dimensions=tuple(draft.dimensions),
        timeout=draft.timeout,
        series=draft.series,
        statistic=draft.statistic,
        options=draft.options,
    )


def patched(meter: Meter, patch: MeterUpdate, *, now: Instant) -> Meter:
    """Return the meter with the patch applied; `archived` true archives, false takes it back."""
    filter_patch: dict[str, tuple[str, ...] | None] | UnsetType | None = patch.filter  # type: ignore[assignment]
    if isinstance(patch.filter, dict):
        filter_patch = {name: None if values is None else _texts(name, values) for name, values in patch.filter.items()}
    archived_at = meter.archived_at
    if isinstance(patch.archived, bool):
        archived_at = (meter.archived_at or now) if patch.archived else None
    return msgspec.structs.replace(
        meter,
        name=kept_or(patch.name, meter.name),
        event_type=kept_or(patch.event_type, meter.event_type),
        aggregation=kept_or(patch.aggregation, meter.aggregation),
        field=kept_or_default(patch.field, meter.field, "value"),
        fields=tuple(kept_or_default(patch.fields, list(meter.fields), [])),
        filter=merged(filter_patch, meter.filter),
        unit=kept_or(patch.unit, meter.unit),
        dimensions=tuple(kept_or_default(patch.dimensions, list(meter.dimensions), [])),
        timeout=kept_or(patch.timeout, meter.timeout),
        series=kept_or(patch.series, meter.series),
        statistic=kept_or(patch.statistic, meter.statistic),
        options=merged(patch.options, meter.options),
        archived_at=archived_at,
    )


def meter_out(meter: Meter) -> MeterOut:
    """Return a meter as it is answered."""
    return MeterOut(
        key=meter.key,
        name=meter.name,
        event_type=meter.event_type,
        aggregation=meter.aggregation,
        field=meter.field,
        fields=list(meter.fields),
        filter={name: list(values) for name, values in meter.filter.items()},
        unit=meter.unit,
        dimensions=list(meter.dimensions),
        timeout=meter.timeout,
        series=meter.series,
        statistic=meter.statistic,
        options=meter.options,
        version=meter.version,
        created_at=timestamp(meter.created_at),
        updated_at=timestamp(meter.updated_at),
        archived_at=timestamp_or_null(meter.archived_at),
    )


def meters_page(meters: Sequence[Meter], *, limit: int, cursor: str | None) -> MetersOut:
    """Return the meters, which are in the order of their keys, that come after the cursor's. Raises `Refusal` (400) for a foreign one."""
    after = "" if cursor is None else _key_of(cursor)
    rest = [meter for meter in meters if meter.key > after]
    page = rest[:limit]
    next_cursor = _cursor_of(page[-1].key) if len(rest) > limit else None
    return MetersOut([meter_out(meter) for meter in page], next_cursor)


def _cursor_of(key: str) -> str:
    return base64.urlsafe_b64encode(b"meter\0" + key.encode()).decode().rstrip("=")


def _key_of(cursor: str) -> str:
    try:
        kind, _, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("\0")
    except ValueError:
        kind, key = "", ""
    if kind != "meter" or not key:
        raise invalid_parameter("cursor", "is none that this list gave out")
    return key


def meter_version_out(version: MeterVersion) -> MeterVersionOut:
    """Return a version of a meter as it is answered."""
    return MeterVersionOut(**msgspec.structs.asdict(meter_out(version.meter)), position=version.position)


def skipped_out(skipped: SkippedEvent) -> SkippedEventOut:
    """Return a skipped event as it is answered."""
    reasons = [SkipReasonOut(each.field, each.code, each.detail) for each in skipped.reasons]
    return SkippedEventOut(**msgspec.structs.asdict(event_out(skipped.stored)), reasons=reasons)


def _filter(given: FilterIn) -> dict[str, tuple[str, ...]]:
    return {name: _texts(name, values) for name, values in given.items()}


def _texts(name: str, values: list[FilterValue] | FilterValue) -> tuple[str, ...]:
    return tuple(filter_text(name, value) for value in (values if isinstance(values, list) else [values]))
