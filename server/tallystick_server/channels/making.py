"""From what a person gives to a channel that the store may keep: the address is checked, what is secret is sealed."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, structs

from tallystick.errors import InvalidDefinition
from tallystick.instant import NS_PER_S, Instant
from tallystick.signals.channel import Channel, ChannelKind
from tallystick_server.merge_patch import kept_or
from tallystick_server.outgoing.post_office import PostOffice
from tallystick_server.outgoing.seal import ChannelSecrets, SealBroken, SigningSecret
from tallystick_server.outgoing.webhook_secret import new_secret, parsed_secret, shown_secret

from .schemas import ChannelCreate, ChannelUpdate

# The newest, and those before it that receivers may still check with.
_SECRETS_MAX = 3


async def made_channel(body: ChannelCreate, post_office: PostOffice) -> tuple[Channel, str | None]:
    """Return the channel, and the secret if it was made here. Raises `InvalidDefinition`."""
    address = await post_office.checked_address(body.kind, body.url)
    signing: tuple[SigningSecret, ...] = ()
    shown: str | None = None
    if body.kind is ChannelKind.WEBHOOK:
        secret = parsed_secret(body.secret) if body.secret is not None else new_secret(post_office.entropy)
        shown = shown_secret(secret) if body.secret is None else None
        signing = (SigningSecret(secret),)
    elif body.secret is not None:
        raise InvalidDefinition("secret", "is for webhooks; what an Apprise service needs to know is in its URL")
    sealed = _sealed(post_office, body.key, ChannelSecrets(body.url, signing))
    channel = Channel(
        key=body.key, kind=body.kind, name=body.name, address=address, sealed=sealed, secret_count=len(signing)
    )
    return channel, shown


async def changed_channel(channel: Channel, patch: ChannelUpdate, post_office: PostOffice, *, now: Instant) -> Channel:
    """Return the channel with the patch applied. Raises `InvalidDefinition`."""
    changed = structs.replace(channel, name=kept_or(patch.name, channel.name))
    if not isinstance(patch.enabled, UnsetType):
        is_off = channel.disabled_at is not None
        if patch.enabled == is_off:
            changed = structs.replace(
                changed,
                disabled_at=None if patch.enabled else now,
                disabled_reason=None if patch.enabled else "somebody switched it off",
            )
    if patch.url is UNSET and patch.secret is UNSET:
        return changed
    if patch.secret is not UNSET and channel.kind is not ChannelKind.WEBHOOK:
        raise InvalidDefinition("secret", "is for webhooks; what an Apprise service needs to know is in its URL")
    url, signing = _after(channel, patch, post_office, now=now)
    address = await post_office.checked_address(channel.kind, url)
    return structs.replace(
        changed,
        address=address,
        sealed=_sealed(post_office, channel.key, ChannelSecrets(url, signing)),
        secret_count=len(signing),
    )


def _after(
    channel: Channel, patch: ChannelUpdate, post_office: PostOffice, *, now: Instant
) -> tuple[str, tuple[SigningSecret, ...]]:
    try:
        secrets = post_office.seal.open(channel.key, channel.sealed)
    except SealBroken as error:
        # With both given anew nothing of the old is needed.
        if isinstance(patch.url, UnsetType) or (isinstance(patch.secret, UnsetType) and channel.secret_count):
            raise InvalidDefinition("url", str(error)) from error
        secrets = ChannelSecrets(patch.url)
    url = secrets.url if isinstance(patch.url, UnsetType) else patch.url
    signing = tuple(each for each in secrets.signing if each.until is None or now < each.until)
    if isinstance(patch.secret, UnsetType):
        return url, signing
    until = Instant(now + patch.keep_secret_s * NS_PER_S)
    # An older one that is to end sooner still does.
    before = [SigningSecret(each.secret, until if each.until is None else min(each.until, until)) for each in signing]
    kept = before[: _SECRETS_MAX - 1] if patch.keep_secret_s else []
    return url, (SigningSecret(parsed_secret(patch.secret)), *kept)


def _sealed(post_office: PostOffice, key: str, secrets: ChannelSecrets) -> bytes:
    try:
        return post_office.seal.seal(key, secrets)
    except SealBroken as error:
        raise InvalidDefinition("url", f"cannot be kept: {error}") from error
