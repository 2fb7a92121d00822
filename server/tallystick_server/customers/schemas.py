"""How customers look in JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.customer import Customer, CustomerSeen
from tallystick_server.json_values import Timestamp, timestamp

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["acme"])]
Text = Annotated[str, msgspec.Meta(max_length=256)]
MetadataText = Annotated[str, msgspec.Meta(max_length=4_096)]


class CustomerOut(msgspec.Struct, kw_only=True, rename={"is_known": "known"}):
    """A customer. One that events name and nobody described is not `known`, and has counts in place of a description."""

    key: str
    is_known: bool
    name: str | None = None
    email: str | None = None
    metadata: dict[str, str] = {}
    time_zone: str = "UTC"
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    event_count: int | None = None
    last_event_at: Timestamp | None = None


class CustomersOut(msgspec.Struct):
    """A page of customers, by key."""

    items: list[CustomerOut]
    next_cursor: str | None


class CustomerCreate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A customer to describe."""

    key: Key
    name: Text | None = None
    email: Text | None = None
    metadata: dict[str, MetadataText] = {}
    time_zone: Annotated[str, msgspec.Meta(max_length=64, examples=["Europe/Berlin"])] = "UTC"


class CustomerUpdate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A merge patch: what is absent stays, null clears; `metadata` is merged name by name."""

    name: Text | UnsetType | None = UNSET
    email: Text | UnsetType | None = UNSET
    metadata: dict[str, MetadataText | None] | UnsetType | None = UNSET
    time_zone: Annotated[str, msgspec.Meta(max_length=64)] | UnsetType | None = UNSET


def customer_out(customer: Customer) -> CustomerOut:
    """Return a described customer as it is answered."""
    return CustomerOut(
        key=customer.key,
        is_known=True,
        name=customer.name,
        email=customer.email,
        metadata=customer.metadata,
        time_zone=customer.time_zone,
        created_at=timestamp(customer.created_at),
        updated_at=timestamp(customer.updated_at),
    )


def seen_out(customer: CustomerSeen) -> CustomerOut:
    """Return a customer that only events name as it is answered."""
    return CustomerOut(
        key=customer.key,
        is_known=False,
        event_count=customer.event_count,
        last_event_at=timestamp(customer.last_event_at),
    )
