"""The id of an event that was sent with a time but without an id: a function of what was sent, so that a re-send is a duplicate.

Promises: the same source and the same content give the same id, in every format and for ever (stored ids depend on it); other
content gives another. Does not: tell two honest events apart that agree in everything; whoever sends such must send ids.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from tallystick.event import content_hash
from tallystick.instant import Instant

# Half of SHA-256: enough that two contents never share one, short enough to store.
_DIGEST_BYTES: Final = 16

# Canonical numbers are their own text: the hook keeps those with a point as they are written.
_PROPERTIES: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)  # Any: text, boolean or integer


def derived_id(*, source: str, event_type: str, customer: str, time: int, value: str, properties: bytes) -> str:
    """Return 32 hexadecimal digits; `value` and `properties` are canonical."""
    content = content_hash(
        event_type=event_type,
        customer=customer,
        time=Instant(time),
        value=value,
        properties={name: _text(sent) for name, sent in _PROPERTIES.decode(properties).items()},
    )
    return hashlib.sha256(content + source.encode()).digest()[:_DIGEST_BYTES].hex()


def _text(sent: Any) -> str:  # Any: text, boolean or integer
    """Return the text by which a property is compared; as `event.property_text`, without the way through `Decimal`."""
    if isinstance(sent, str):
        return sent
    if isinstance(sent, bool):
        return "true" if sent else "false"
    return str(sent)
