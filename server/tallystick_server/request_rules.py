"""What every route asks of a request beyond its own types: parameters that it knows, each once, and a body in JSON.

A misspelt parameter would otherwise be ignored and the figure be of something else than was asked.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection, Request
from litestar.handlers import BaseRouteHandler

from .json_values import invalid_parameter
from .problem import Refusal
from .usage.asked import bracketed_name

FILTER: Final = "filter"
PROPERTIES: Final = "properties"
METER: Final = "meter"
METER_LENGTH_MAX: Final = 128
_BRACKETED: Final = frozenset({FILTER, PROPERTIES})
_JSON = ("application/json", "application/merge-patch+json")
Connection = ASGIConnection[Any, Any, Any, Any]  # Any: Litestar's type variables


class DocumentedRequests:
    """What each route takes, as the OpenAPI document lists it: methods and query parameters."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}
        self._methods: dict[str, str] = {}

    def learn(self, document: dict[str, Any]) -> None:  # Any: a JSON document
        """Take the names from the document."""
        for path, methods in document["paths"].items():
            self._methods[path] = ", ".join(sorted(method.upper() for method in methods))
            for operation in methods.values():
                parameters = operation.get("parameters", [])
                self._names[operation["operationId"]] = frozenset(
                    each["name"] for each in parameters if each["in"] == "query"
                )

    async def check(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Refuse a method or a parameter that the route does not have, or one that comes twice; `filter[NAME]` may.

        `filter` and `properties` stand in the document for `filter[NAME]` and `properties[NAME]`.
        """
        if isinstance(connection, Request) and connection.method == "OPTIONS":
            # The framework answers it by itself, and knows only some of the methods of a path that two handlers share.
            allow = self._methods.get(connection.scope["path_template"], "GET")
            raise Refusal(405, "method_not_allowed", "this path does not take this method", headers={"allow": allow})
        known = self._names.get(str(getattr(handler, "operation_id", None)))
        if known is None or not connection.scope["query_string"]:
            return
        seen: set[str] = set()
        for parameter, _ in connection.query_params.multi_items():
            if FILTER in known and bracketed_name(FILTER, parameter) is not None:
                continue
            is_property = PROPERTIES in known and bracketed_name(PROPERTIES, parameter) is not None
            if not is_property and (parameter not in known or parameter in _BRACKETED):
                names = ", ".join(sorted(f"{name}[NAME]" if name in _BRACKETED else name for name in known))
                raise invalid_parameter(parameter[:100], f"is no parameter of this route; it has {names or 'none'}")
            if parameter in seen:
                raise invalid_parameter(parameter, "is given twice")
            seen.add(parameter)


async def require_json(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse a body that is not JSON, where the route decodes one. Raises `Refusal` (415)."""
    if handler.parsed_data_field is None:
        return
    media_type = connection.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type not in _JSON:
        raise Refusal(415, "unknown_media_type", f"this route takes {_JSON[0]}")
    if connection.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "unknown_encoding", "only events may come compressed")
