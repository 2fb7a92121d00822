"""The id of an event that was sent with a time but without an id: a function of what was sent, so that a re-send is a duplicate.

Promises: the same source and the same content give the same id, in every format and for ever (stored ids depend on it); other content
gives another. Does not: tell two honest events apart that agree in everything; whoever sends such must send ids.
"""

from __future__ import annotations

import hashlib

from tallystick.event import content_hash, property_text
from tallystick.event_columns import decode_properties
from tallystick.instant import Instant

# Half of SHA-256: enough that two contents never share one, short enough to store.
_DIGEST_BYTES = 16


def derived_id(*, source: str, event_type: str, customer: str, time: int, value: str, properties: bytes) -> str:
    """Return 32 hexadecimal digits; `value` and `properties` are canonical."""
    content = content_hash(
        event_type=event_type,
        customer=customer,
        time=Instant(time),
        value=value,
        properties={name: property_text(sent) for name, sent in decode_properties(properties).items()},
    )
    return hashlib.sha256(content + source.encode()).digest()[:_DIGEST_BYTES].hex()
