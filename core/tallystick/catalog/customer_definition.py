"""What a customer's description must be."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from tallystick.customer import Customer
from tallystick.errors import InvalidDefinition
from tallystick.event import CUSTOMER_LENGTH_MAX

_TEXT_LENGTH_MAX: Final = 512
_METADATA_MAX: Final = 64


def checked_customer(customer: Customer) -> Customer:
    """Return the customer, or raise `InvalidDefinition` naming the field at fault."""
    if not 1 <= len(customer.key) <= CUSTOMER_LENGTH_MAX:
        raise InvalidDefinition("key", f"must have 1 to {CUSTOMER_LENGTH_MAX} characters")
    for field, text in (("key", customer.key), ("name", customer.name), ("email", customer.email)):
        if text is not None:
            _check_text(field, text)
    if customer.email is not None and not ("@" in customer.email[1:-1] and " " not in customer.email):
        raise InvalidDefinition("email", "is no e-mail address")
    if len(customer.metadata) > _METADATA_MAX:
        raise InvalidDefinition("metadata", f"has more than {_METADATA_MAX} entries")
    for name, text in customer.metadata.items():
        _check_text("metadata", name)
        _check_text("metadata", text)
    try:
        ZoneInfo(customer.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidDefinition("time_zone", f"{customer.time_zone[:64]!r} is no IANA time zone") from error
    return customer


def _check_text(field: str, text: str) -> None:
    if len(text) > _TEXT_LENGTH_MAX:
        raise InvalidDefinition(field, f"has more than {_TEXT_LENGTH_MAX} characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidDefinition(field, "holds half of a surrogate pair, which is no text") from error
    if "\0" in text:
        raise InvalidDefinition(field, "holds a NUL character")
