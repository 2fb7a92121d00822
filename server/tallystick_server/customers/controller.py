"""Customers: described by the operator, or only named by events."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from tallystick.api_key import Scope
from tallystick.customer import Customer, CustomerSearch
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.merge_patch import kept_or, kept_or_default, merged
from tallystick_server.parameters import Cursor, Limit

from .schemas import CustomerCreate, CustomerOut, CustomersOut, CustomerUpdate, customer_out, seen_out


class CustomerController(Controller):
    """Customers. Events of customers that nobody described count at once."""

    path = "/v1/customers"
    tags = ("Customers",)

    @get("/", operation_id="listCustomers", summary="List customers", opt=allowed(Scope.READ))
    async def page(
        self,
        *,
        access: Access,
        known: Annotated[
            bool,
            QueryParameter(
                name="known", description="`false` lists the customers that events name and nobody described."
            ),
        ] = True,
        search: Annotated[
            str | None,
            QueryParameter(
                name="search",
                min_length=1,
                max_length=256,
                description="Only those whose key, name or e-mail address holds this text, however it is capitalised.",
            ),
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> CustomersOut:
        """List customers by key: described ones, or with `known=false` those that only events name.

        A search looks at some ten thousand customers a page: one may be short, or empty, and have a `next_cursor` all the same.
        """
        wanted = None if search is None else CustomerSearch(search)
        if known:
            page = await access.read(lambda store: store.customers(limit=limit, cursor=cursor, search=wanted))
            return CustomersOut([customer_out(customer) for customer in page.items], page.next_cursor)
        seen = await access.read(lambda store: store.customers_unknown(limit=limit, cursor=cursor, search=wanted))
        return CustomersOut([seen_out(customer) for customer in seen.items], seen.next_cursor)

    @post("/", operation_id="createCustomer", summary="Describe a customer", opt=allowed(Scope.ADMIN, 409, 422))
    async def create(self, data: JSONBody[CustomerCreate], access: Access) -> CustomerOut:
        """Describe a customer. Its key is what events name; those that came before belong to it as well."""
        customer = Customer(
            key=data.key, name=data.name, email=data.email, metadata=data.metadata, time_zone=data.time_zone
        )
        return customer_out(await access.read(lambda store: store.put_customer(customer, create=True)))

    @get("/{key:str}", operation_id="getCustomer", summary="Show a customer", opt=allowed(Scope.READ, 404))
    async def show(self, key: FromPath[str], access: Access) -> CustomerOut:
        """Show one customer that was described."""
        return customer_out(await access.read(lambda store: store.customer(key)))

    @patch("/{key:str}", operation_id="updateCustomer", summary="Change a customer", opt=allowed(Scope.ADMIN, 404, 422))
    async def change(self, key: FromPath[str], data: JSONBody[CustomerUpdate], access: Access) -> CustomerOut:
        """Change a customer by a merge patch: what is absent stays, null clears."""
        current = await access.read(lambda store: store.customer(key))
        changed = msgspec.structs.replace(
            current,
            name=kept_or(data.name, current.name),
            email=kept_or(data.email, current.email),
            metadata=merged(data.metadata, current.metadata),
            time_zone=kept_or_default(data.time_zone, current.time_zone, "UTC"),
        )
        return customer_out(await access.read(lambda store: store.put_customer(changed, create=False)))

    @delete(
        "/{key:str}",
        operation_id="deleteCustomer",
        summary="Forget a customer's description",
        opt=allowed(Scope.ADMIN, 404),
    )
    async def forget(self, key: FromPath[str], access: Access) -> None:
        """Delete the description. The customer's events stay, and count."""
        await access.read(lambda store: store.delete_customer(key))
