"""What a customer has left of its limits, so that a gateway can ask before it serves."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Request, get
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter

from tallystick.api_key import ApiKey, Scope
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.request_rules import METER, METER_LENGTH_MAX, PROPERTIES
from tallystick_server.usage.asked import bracketed_name

from .schemas import AllowanceOut, allowance_out


class AllowanceController(Controller):
    """The allowance of one customer."""

    path = "/v1/customers"
    tags = ("Customers",)

    @get(
        "/{key:str}/allowance",
        operation_id="getAllowance",
        summary="Show what a customer has left",
        opt=allowed(Scope.READ, 404, 422, 424),
    )
    async def allowance(
        self,
        *,
        key: FromPath[str],
        access: Access,
        request: Request[None, ApiKey, State],
        meter: Annotated[
            str,
            QueryParameter(
                name=METER, min_length=1, max_length=METER_LENGTH_MAX, description="The meter that is limited."
            ),
        ],
    ) -> AllowanceOut:
        """Show what a customer has left of the limits that signals set on a meter, every acknowledged event included.

        A limit is a signal of type `threshold` with the op `>=` or `>` on this customer, or on each (`*`): its `limit`, or the highest of
        its thresholds. A signal that names the customer stands in for those of `*` with the same period, filter and grouping. The tightest
        limit speaks for all: one that is exceeded, then the one with the least left. Without a limit the state is `unlimited`.

        `properties[NAME]=value` tell what is to be served: limits whose filter or group that contradicts are left out. Costs microseconds
        for a customer that was asked about lately.
        """
        properties = {
            name: value
            for parameter, value in request.query_params.multi_items()
            if (name := bracketed_name(PROPERTIES, parameter)) is not None
        }
        at_once = access.store.allowance_at_once(key, meter, properties=properties)
        if at_once is not None:
            return allowance_out(at_once)
        return allowance_out(
            await access.scan(lambda store: store.allowance(key, meter, properties=properties), request.receive)
        )
