"""Secrets of channels, encrypted at rest: AES-256-GCM with a key in a file of its own.

Promises: what is sealed for one channel opens for that channel alone (its key is authenticated with it), and not after a single bit was
changed. The key file is made at the first use, for its owner alone, and synced before anything is sealed with it; a backup does not copy
it.
Does not: protect against who can read the process's memory or the key file. Losing the file loses the secrets, and nothing else: channels
then say so, and take new ones.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from pathlib import Path

import msgspec

from tallystick.durable_files import sync_directory
from tallystick.entropy import Entropy
from tallystick.errors import TallystickError
from tallystick.instant import Instant

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class SealBroken(TallystickError):
    """Sealed bytes that do not open: the key file is another one, or missing, or the bytes were changed."""


class SigningSecret(msgspec.Struct, frozen=True, array_like=True):
    """A webhook's secret; the one before it goes on signing `until` then, while receivers change over."""

    secret: bytes
    until: Instant | None = None


class ChannelSecrets(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a channel: where it leads, and what it signs with, the newest first."""

    url: str
    signing: tuple[SigningSecret, ...] = ()

    def valid(self, now: Instant) -> list[bytes]:
        """Return the secrets that sign now."""
        return [each.secret for each in self.signing if each.until is None or now < each.until]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ChannelSecrets).decode


class Seal:
    """Seals and opens with the key of one file. Methods may be called from any thread."""

    def __init__(self, key_file: Path, *, entropy: Entropy) -> None:
        self.key_file = key_file
        self._entropy = entropy
        self._key: bytes | None = None

    def seal(self, channel: str, secrets: ChannelSecrets) -> bytes:
        """Return the secrets encrypted for this channel. Makes the key file if there is none. Raises `SealBroken` if it cannot."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 30 ms, for the first channel only

        nonce = self._entropy.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._loaded(may_make=True)).encrypt(nonce, _encode(secrets), channel.encode())
        return _VERSION + nonce + sealed

    def open(self, channel: str, sealed: bytes) -> ChannelSecrets:
        """Return what was sealed for this channel. Raises `SealBroken`."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _VERSION:
                raise ValueError("another version")  # noqa: TRY301 - one way to say it
            return _decode(AESGCM(self._loaded(may_make=False)).decrypt(nonce, rest, channel.encode()))
        except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
            raise SealBroken(
                f"the channel's secrets do not open with the key in {self.key_file}: put the right key there, or give url and secret anew"
            ) from error

    def _loaded(self, *, may_make: bool) -> bytes:
        if self._key is None:
            try:
                self._key = self._read() if self.key_file.exists() or not may_make else self._made()
            except OSError as error:
                raise SealBroken(f"the key file {self.key_file} cannot be used: {error.strerror}") from error
        return self._key

    def _read(self) -> bytes:
        try:
            key = b64decode(self.key_file.read_bytes().strip(), validate=True)
        except Base64Error as error:
            raise SealBroken(f"{self.key_file} holds no key") from error
        if len(key) != _KEY_BYTES:
            raise SealBroken(f"{self.key_file} holds no key of {_KEY_BYTES} bytes in base64")
        return key

    def _made(self) -> bytes:
        self.key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = self._entropy.token_bytes(_KEY_BYTES)
        # Beside, then linked: another process that makes one at the same time must not find half of ours, nor lose its own.
        temporary = self.key_file.with_name(f"{self.key_file.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, b64encode(key) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(temporary, self.key_file)
        except FileExistsError:
            return self._read()
        finally:
            temporary.unlink()
        sync_directory(self.key_file.parent)
        return key
