"""API keys: made, listed without their secrets, revoked."""

from __future__ import annotations

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody

from tallystick.api_key import ApiKey, Scope
from tallystick.store import Store
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access, Present
from tallystick_server.json_values import invalid_parameter, moment_or_none
from tallystick_server.problem import Refusal

from .schemas import ApiKeyCreate, ApiKeyCreated, ApiKeysOut, api_key_created, api_key_out


class ApiKeyController(Controller):
    """Keys: 256 random bits each, of which a hash is kept."""

    path = "/v1/api-keys"
    tags = ("API keys",)

    @get("/", operation_id="listApiKeys", summary="List API keys", opt=allowed(Scope.ADMIN))
    async def everything(self, access: Access) -> ApiKeysOut:
        """List every key, without its secret."""
        return ApiKeysOut([api_key_out(key) for key in await access.read(lambda store: store.api_keys())])

    @post("/", operation_id="createApiKey", summary="Make an API key", opt=allowed(Scope.ADMIN, 422))
    async def create(self, data: JSONBody[ApiKeyCreate], access: Access, clock: Present) -> ApiKeyCreated:
        """Make a key. Its secret is in this answer, and can never be shown again."""
        expires_at = moment_or_none("expires_at", data.expires_at)
        if expires_at is not None and expires_at <= clock.now():
            raise invalid_parameter("expires_at", "lies in the past")
        scopes = sorted(set(data.scopes))

        def make(store: Store) -> tuple[ApiKey, str]:
            return store.create_api_key(name=data.name, scopes=scopes, expires_at=expires_at)

        return api_key_created(*await access.read(make))

    @delete(
        "/{key_id:str}", operation_id="deleteApiKey", summary="Revoke an API key", opt=allowed(Scope.ADMIN, 404, 409)
    )
    async def revoke(self, key_id: FromPath[str], access: Access) -> None:
        """Revoke a key at once. The last key with the scope `admin` is kept, so that nobody is locked out."""

        def delete_unless_last(store: Store) -> None:
            admins = [key for key in store.api_keys() if Scope.ADMIN in key.scopes and key.expires_at is None]
            if [key.id for key in admins] == [key_id]:
                raise Refusal(
                    409, "last_admin_key", "this is the last admin key that does not expire: make another one first"
                )
            store.delete_api_key(key_id)

        await access.read(delete_unless_last)
