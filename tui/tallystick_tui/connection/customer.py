"""Customers as the appliance answers them, found by a search that goes page by page until there is enough to show."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from .appliance_client import ApplianceClient, Page, segment
from .failure import Refused

PAGE_SIZE: Final = 100
# A page of a search looks at some ten thousand customers; of more pages than this a person is told, and goes on by a key.
_PAGES_AT_ONCE: Final = 20
_NOT_FOUND: Final = 404


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer; one that only events name has counts in place of a description."""

    key: str
    known: bool
    name: str | None = None
    email: str | None = None
    metadata: dict[str, str] = {}
    time_zone: str = "UTC"
    created_at: str | None = None
    updated_at: str | None = None
    event_count: int | None = None
    last_event_at: str | None = None


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of an allowance."""

    signal: str
    limit: Decimal
    used: Decimal | None
    remaining: Decimal
    state: str


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer has left of a meter; without a limit the state is `unlimited`."""

    meter: str
    state: str
    limit: Decimal | None
    used: Decimal | None
    remaining: Decimal | None
    resets_at: str | None
    limits: list[Limit] = []


async def ask_customers(
    client: ApplianceClient, *, is_known: bool, search: str = "", cursor: str | None = None
) -> Page[Customer]:
    """Return a page by key. A search is asked on until something was found or twenty pages were looked at. Raises `ApplianceFailure`."""
    params = [("known", "true" if is_known else "false"), *([("search", search)] if search else [])]
    page = await client.ask_page("/v1/customers", params, item=Customer, limit=PAGE_SIZE, cursor=cursor)
    for _ in range(_PAGES_AT_ONCE - 1):
        if page.items or page.next_cursor is None:
            break
        page = await client.ask_page("/v1/customers", params, item=Customer, limit=PAGE_SIZE, cursor=page.next_cursor)
    return page


async def ask_customer(client: ApplianceClient, key: str) -> Customer:
    """Return a customer; one that nobody described is not `known`. Raises `ApplianceFailure`."""
    try:
        return await client.ask(f"/v1/customers/{segment(key)}", answer=Customer)
    except Refused as refusal:
        if refusal.status == _NOT_FOUND:
            return Customer(key=key, known=False)
        raise
