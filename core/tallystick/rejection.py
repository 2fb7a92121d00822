"""Why an event was not counted: a stable code for programs, a sentence for people.

Codes are part of the contract: one is added, none is renamed. Each is explained in `docs/rejections.md`, which a test
compares with this list.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Code(StrEnum):
    """Every reason for which an event can be refused."""

    CONFLICT = "conflict"
    DUPLICATE_KEY = "duplicate_key"
    INVALID_CUSTOMER = "invalid_customer"
    INVALID_ENCODING = "invalid_encoding"
    INVALID_EVENT = "invalid_event"
    INVALID_ID = "invalid_id"
    INVALID_JSON = "invalid_json"
    INVALID_MSGPACK = "invalid_msgpack"
    INVALID_PROPERTIES = "invalid_properties"
    INVALID_SOURCE = "invalid_source"
    INVALID_TIME = "invalid_time"
    INVALID_TYPE = "invalid_type"
    INVALID_VALUE = "invalid_value"
    MISSING_CUSTOMER = "missing_customer"
    MISSING_TYPE = "missing_type"
    NESTED_PROPERTY = "nested_property"
    TIME_IN_FUTURE = "time_in_future"
    TOO_DEEP = "too_deep"
    TOO_MANY_PROPERTIES = "too_many_properties"
    UNKNOWN_FIELD = "unknown_field"
    VALUE_OUT_OF_RANGE = "value_out_of_range"


class Rejected(msgspec.Struct, frozen=True):
    """One event of a request that was not counted.

    `index` is its place in the request, from 0; `id` the one it carried, null where it had none that could be read.
    """

    index: int
    id: str | None
    code: Code
    detail: str
