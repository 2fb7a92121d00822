"""Who asks, and what their key may do.

Promises: without a key, or with a wrong one, the answer is 401 and the same for every path, so that it says nothing about what exists.
The store compares hashes; what is looked up is a SHA-256 of 256 random bits, so its timing tells nothing of use. Keys come in headers
alone, never in a URL. Every route names its scope with `allowed`; a route that names none is refused to everybody.
Wrong keys are slowed down for each address; a right key never is, even from the same address.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection, Request
from litestar.handlers import BaseRouteHandler

from tallystick.api_key import ApiKey, Scope
from tallystick.store import Store

from .problem import Refusal

CHALLENGE = {"www-authenticate": 'Bearer realm="tallystick"'}
_FREE_TRIES = 10
_FORGIVEN_AFTER_S = 60.0
_DELAY_MAX_S = 2.0
_ADDRESSES_MAX = 4_096
_WAITING_MAX = 256


class NoKey(Refusal):
    """A request without a key."""

    def __init__(self) -> None:
        super().__init__(
            401, "no_key", "a key is needed: Authorization: Bearer KEY, or X-API-Key: KEY", headers=CHALLENGE
        )


class WrongKey(Refusal):
    """A request with a key that is unknown, revoked or expired: the answer does not tell which."""

    def __init__(self) -> None:
        super().__init__(401, "wrong_key", "the key is not valid", headers=CHALLENGE)


class WrongScope(Refusal):
    """A request with a right key that may not do this."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(403, "wrong_scope", f"the key does not have the scope {scope.value!r}")


def secret_in(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the secret that a request carries, in either of the two headers; a Bearer goes first."""
    authorization = headers.get(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip().decode("latin-1")
    secret = headers.get(b"x-api-key")
    return None if secret is None else secret.strip().decode("latin-1")


def authenticate(store: Store, headers: Mapping[bytes, bytes]) -> ApiKey:
    """Return the key of a request. Raises `NoKey` or `WrongKey`."""
    secret = secret_in(headers)
    if not secret:
        raise NoKey
    key = store.authenticate(secret)
    if key is None:
        raise WrongKey
    return key


class WrongKeys:
    """How many wrong keys came from each address lately: the delay of the next answer to one.

    Bounded: the address that was silent longest is forgotten first, and at most 256 answers wait at a time; past that they are refused
    at once with 429.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._waiting = 0

    def delay_s(self, address: str) -> float:
        """Count a wrong key from this address, and return for how long its answer is held back."""
        now = self._monotonic()
        count, last_at = self._tries.pop(address, (0, now))
        count = 1 if now - last_at > _FORGIVEN_AFTER_S else count + 1
        self._tries[address] = (count, now)
        if len(self._tries) > _ADDRESSES_MAX:
            self._tries.popitem(last=False)
        return 0.0 if count <= _FREE_TRIES else min(_DELAY_MAX_S, 0.1 * 2 ** min(count - _FREE_TRIES - 1, 10))

    async def hold_back(self, client: tuple[str, int] | None) -> None:
        """Wait as long as the address deserves. Raises `Refusal` (429) when too many wait already."""
        delay_s = self.delay_s(_network(client[0] if client else ""))
        if not delay_s:
            return
        if self._waiting >= _WAITING_MAX:
            raise Refusal(429, "too_many_wrong_keys", "too many wrong keys came lately", headers={"retry-after": "5"})
        self._waiting += 1
        try:
            await asyncio.sleep(delay_s)
        finally:
            self._waiting -= 1


def _network(address: str) -> str:
    # One IPv6 host has a whole /64 to choose addresses from.
    return ":".join(address.split(":")[:4]) if ":" in address else address


class RouteRule(msgspec.Struct, frozen=True):
    """Who may call a route (None: everybody), and which errors it has besides those that all routes have."""

    scope: Scope | None
    errors: tuple[int, ...]


def allowed(scope: Scope, *errors: int) -> dict[str, RouteRule]:
    """Return a handler's `opt`: the scope that a key needs, and the route's own error statuses for the document."""
    return {"rule": RouteRule(scope, errors)}


def open_to_all(*errors: int) -> dict[str, RouteRule]:
    """Return a handler's `opt` for a route that needs no key."""
    return {"rule": RouteRule(None, errors)}


class ScopeGuard:
    """Lets a request through if its key has the scope of the route; the guard of every route."""

    def __init__(self, *, open_operations: frozenset[str]) -> None:
        self._open = open_operations  # open by the operator's setting

    async def check(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:  # Any: as below
        """Raise `NoKey` or `WrongScope`."""
        is_asked_for_methods = (
            isinstance(connection, Request) and connection.method == "OPTIONS"
        )  # the framework's own answer
        if not is_asked_for_methods and getattr(handler, "operation_id", None) not in self._open:
            require_scope(connection, handler)


def require_scope(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:  # Any: Litestar's type variables
    """Raise `NoKey` or `WrongScope` unless the key of the request has the scope of the route."""
    rule = cast("RouteRule | None", handler.opt.get("rule"))
    if rule is None:
        raise WrongScope(Scope.ADMIN)
    if rule.scope is None:
        return
    key: ApiKey | None = cast("dict[str, Any]", connection.scope).get("auth")  # Any: ASGI's mapping
    if key is None:
        raise NoKey
    if not key.allows(rule.scope):
        raise WrongScope(rule.scope)
