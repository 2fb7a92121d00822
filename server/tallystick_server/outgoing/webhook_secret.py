"""Signing after Standard Webhooks: the secret's form, and the header that proves who sent these bytes.

The signature is HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`; while a secret is being changed there are two, a space apart.
Source: https://github.com/standard-webhooks/standard-webhooks, specification 1.0.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable

from tallystick.entropy import Entropy
from tallystick.errors import InvalidDefinition

PREFIX = "whsec_"
_BYTES_MIN, _BYTES_MAX = 16, 64
_NEW_BYTES = 32


def parsed_secret(text: str) -> bytes:
    """Return the bytes of a secret in its usual form. Raises `InvalidDefinition`, without the secret in it."""
    try:
        secret = b64decode(text.removeprefix(PREFIX), validate=True)
    except (Base64Error, ValueError) as error:
        raise InvalidDefinition(
            "secret", f"must be {PREFIX} and base64, as `openssl rand -base64 32` makes it"
        ) from error
    if not _BYTES_MIN <= len(secret) <= _BYTES_MAX:
        raise InvalidDefinition("secret", f"has {len(secret)} bytes, and may have {_BYTES_MIN} to {_BYTES_MAX}")
    return secret


def new_secret(entropy: Entropy) -> bytes:
    """Return a secret that nobody can guess."""
    return entropy.token_bytes(_NEW_BYTES)


def shown_secret(secret: bytes) -> str:
    """Return a secret in the form in which a receiver is given it."""
    return PREFIX + b64encode(secret).decode()


def signature_header(secrets: Iterable[bytes], *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of `webhook-signature`, one signature for each secret."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join("v1," + b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets)
