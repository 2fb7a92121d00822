"""Customers that events name and nobody described."""

from __future__ import annotations

import base64
from typing import Final

from tallystick.catalog.catalog import Catalog
from tallystick.customer import CustomerSearch, CustomerSeen
from tallystick.errors import InvalidQuestion
from tallystick.store import CustomersSeenPage

from .view import View

_KEYS_LOOKED_AT_MAX: Final = 10_000
_KEYS_AT_ONCE: Final = 1_000


def customers_unknown(
    view: View, catalog: Catalog, *, limit: int, cursor: str | None, search: CustomerSearch | None = None
) -> CustomersSeenPage:
    """Return one page by key. Looks at 10,000 customers at most, so that a page may be short where nearly all are described.

    So it is where a search finds few: the page is short, or empty, and has a next one.
    """
    after = None if cursor is None else _parsed(cursor)
    found: list[CustomerSeen] = []
    size = limit if search is None else max(limit, _KEYS_AT_ONCE)
    for _ in range(-(-_KEYS_LOOKED_AT_MAX // size)):
        seen = view.customers(after=after, limit=size)
        for customer in seen:
            after = customer.key
            if search is not None and not search.finds(customer.key):
                continue
            if not catalog.has_customer(customer.key):
                found.append(customer)
                if len(found) == limit:
                    return CustomersSeenPage(found, _text(after))
        if len(seen) < size:
            return CustomersSeenPage(found, None)
    return CustomersSeenPage(found, None if after is None else _text(after))


def _text(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _parsed(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError as error:
        raise InvalidQuestion("cursor", "is none that this list gave out") from error
