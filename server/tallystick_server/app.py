"""The appliance as an ASGI application: what is wired to what.

`create_app` is for embedding: a store that is open, in somebody's own server. `serve` uses `Appliance`, whose store opens later.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import License, Tag

from tallystick.entropy import Entropy
from tallystick.errors import TallystickError
from tallystick.instant import Clock
from tallystick.store import Store

from . import logs
from .allowance.controller import AllowanceController
from .answer_mailbox import AnswerMailbox
from .api_keys.controller import ApiKeyController
from .asgi import Application
from .auth import ScopeGuard, WrongKeys
from .body_budget import BodyBudget
from .channels.controller import ChannelController
from .cli.program import program
from .customers.controller import CustomerController
from .deliveries.controller import DeliveryController
from .documents import DocumentController, Documents
from .event_decoding import EventDecoding
from .events.controller import EventController
from .front import Front
from .health.controller import HealthController
from .ingest_lane import IngestLane
from .jobs import Jobs
from .log.controller import LogController
from .log.verification import Verification
from .meters.controller import MeterController
from .metrics import HttpCounts, Metrics
from .openapi_document import build_document
from .outgoing.networks import Networks
from .outgoing.payload import Payloads
from .outgoing.post_office import PostOffice
from .outgoing.seal import Seal
from .path_keys import restore_slashes
from .problem import INTERNAL, MEDIA_TYPE, Refusal, encode_problem, refusal_of
from .program_version import program_version
from .quarantine.controller import QuarantineController
from .reconcile.controller import ReconcileController
from .request_faults import Choices, fault_in_words
from .request_ids import RequestIds
from .request_rules import DocumentedRequests, require_json
from .settings import Settings
from .short_way import ShortWay
from .signals.controller import SignalController
from .signals.customer_channels import CustomerChannels
from .statements.controller import StatementController
from .status.controller import StatusController
from .store_access import StoreAccess
from .usage.controller import UsageController
from .usage.explain_controller import ExplainController

_LOG = logs.logger("http")
_DEFINITION_BYTES_MAX = 2 * 1024 * 1024
_DESCRIPTION = """Usage metering: every event counted once, live, provable.

Authenticate with `Authorization: Bearer KEY` or `X-API-Key: KEY`. A key has scopes: `ingest`, `read`, `admin` (which implies all).

Errors are problem details (RFC 9457). Answers of 429 and 503 say in `Retry-After` when to try again; nothing was stored by them.
Times go in as RFC 3339 or integer milliseconds and come out as RFC 3339 in UTC. Numbers come out with their exact digits."""
_TAGS = {
    "Events": "Send them, read them, void them, watch them land.",
    "Quarantine": "Events that were refused.",
    "Meters": "Named questions over events.",
    "Usage": "What meters answer.",
    "Customers": "Whose usage is counted.",
    "Statements": "What a customer used, provably; and somebody else's list beside the log.",
    "Signals": "Conditions on figures, and who is told when they are met.",
    "Channels": "Where messages about signals go.",
    "Deliveries": "Messages on their way, and those that arrived or did not.",
    "Log": "The hash chain, for auditors.",
    "API keys": "Who may call.",
    "Health": "For supervisors and Prometheus.",
}
CONTROLLERS = (
    EventController,
    QuarantineController,
    MeterController,
    UsageController,
    ExplainController,
    CustomerController,
    AllowanceController,
    StatementController,
    ReconcileController,
    ChannelController,
    DeliveryController,
    SignalController,
    LogController,
    ApiKeyController,
    HealthController,
    StatusController,
    DocumentController,
)


class Appliance:
    """The application and its parts; `access` is where the store is put once it is open."""

    def __init__(self, settings: Settings, *, clock: Clock, entropy: Entropy) -> None:
        self.access = StoreAccess(settings)
        self.connection_count: Callable[[], int] = lambda: 0
        self._decoding = EventDecoding(settings, clock=clock, entropy=entropy)
        budget, counts = BodyBudget(settings.bodies_in_flight_bytes_max), HttpCounts()
        request_ids, wrong_keys = RequestIds(entropy), WrongKeys(monotonic)
        verification = Verification(self.access, clock=clock)
        documents = Documents()
        self.post_office = _post_office(settings, clock=clock, entropy=entropy)
        jobs = Jobs(self.access, self.post_office, clock=clock, entropy=entropy)
        metrics = Metrics(
            counts,
            self.access,
            budget,
            connection_count=self._count_connections,
            job_failures=lambda: jobs.failures,
        )
        framework = _framework(
            settings,
            documents,
            {
                "access": self.access,
                "clock": clock,
                "decoding": self._decoding,
                "figures": metrics,
                "documents": documents,
                "post_office": self.post_office,
                "customer_channels": CustomerChannels(settings.customer_channels),
                "started_at": clock.now(),
                "verification": verification,
            },
            jobs,
        )
        shared: dict[str, Any] = {  # Any: keyword arguments of two constructors
            "access": self.access,
            "settings": settings,
            "budget": budget,
            "request_ids": request_ids,
            "counts": counts,
        }
        ingest: dict[str, Any] = {"decoding": self._decoding, "mailbox": AnswerMailbox(), **shared}  # Any: as above
        lane = IngestLane(wrong_keys=wrong_keys, **ingest)
        self.documents = documents
        self.asgi = Front(framework=cast("Application", framework), lane=lane, wrong_keys=wrong_keys, **shared)
        # For a server that can take requests at its protocol; without it, everything goes through `asgi`, with the same answers.
        self.short_way = ShortWay(**ingest)

    def _count_connections(self) -> int:
        return self.connection_count()  # set by whoever serves, after the metrics were made

    def close(self) -> None:
        """Release the threads; the store is closed by whoever opened it."""
        self.access.close()
        self._decoding.close()


def create_app(store: Store, settings: Settings, *, clock: Clock, entropy: Entropy) -> Front:
    """Return the application over a store that is open; the caller runs it, and closes the store after it."""
    appliance = Appliance(settings, clock=clock, entropy=entropy)
    appliance.access.open(store)
    return appliance.asgi


def _post_office(settings: Settings, *, clock: Clock, entropy: Entropy) -> PostOffice:
    networks = Networks(settings.allowed_networks)
    key_file = Path(settings.secrets_key_file or Path(settings.data) / "secrets.key")
    return PostOffice(
        networks,
        Seal(key_file, entropy=entropy),
        Payloads(settings.public_url),
        clock=clock,
        entropy=entropy,
        user_agent=f"Tallystick/{program_version()}",
        child_command=[*program(), "outgoing-child"],
    )


def _framework(settings: Settings, documents: Documents, given: dict[str, object], jobs: Jobs) -> Litestar:
    known, choices = DocumentedRequests(), Choices()
    scopes = ScopeGuard(open_operations=frozenset({"getMetrics"} if settings.metrics_open else ()))
    app = Litestar(
        route_handlers=list(CONTROLLERS),
        # Coroutines, though none of them waits: the framework sends plain functions to a thread, one after the other for each request.
        guards=[scopes.check, restore_slashes, require_json, known.check],
        dependencies={name: Provide(_constant(value), sync_to_thread=False) for name, value in given.items()},
        exception_handlers={
            TallystickError: _answer_error,
            HTTPException: partial(_answer_http, choices),
            RecursionError: _answer_depth,
            Exception: _answer_unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="Tallystick",
            version=program_version(),
            description=_DESCRIPTION,
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            tags=[Tag(name=name, description=description) for name, description in _TAGS.items()],
            use_handler_docstrings=True,
            # The framework wants a page of its own; it names no scope, so that nobody can read it. Ours are in `documents`.
            path="/v1/framework-schema",
            render_plugins=[JsonRenderPlugin()],
        ),
        lifespan=[jobs.lifespan],
        request_max_body_size=_DEFINITION_BYTES_MAX,
        logging_config=None,
        pdb_on_exception=False,
    )
    document = build_document(app, settings)
    known.learn(document)
    choices.learn(document)
    documents.fill(document)
    return app


def _constant(value: object) -> Callable[[], object]:
    def given() -> object:
        return value

    return given


AnyRequest = Request[Any, Any, State]  # Any: errors come before a request's key and user are known


def _problem(request: AnyRequest, refusal: Refusal) -> Response[bytes]:
    body = encode_problem(refusal, request.scope["state"].get("request_id"))
    return Response(body, status_code=refusal.status, media_type=MEDIA_TYPE, headers=refusal.headers)


def _answer_error(request: AnyRequest, error: TallystickError) -> Response[bytes]:
    refusal = refusal_of(error)
    return _answer_unexpected(request, error) if refusal is None else _problem(request, refusal)


def _answer_unexpected(request: AnyRequest, error: Exception) -> Response[bytes]:
    request_id = request.scope["state"].get("request_id")
    _LOG.error("a request failed", path=request.scope["path_template"], request_id=request_id, exc_info=error)
    return _problem(request, INTERNAL)


def _answer_depth(request: AnyRequest, _error: RecursionError) -> Response[bytes]:
    return _problem(request, Refusal(400, "invalid_body", "the body is nested too deeply"))


def _answer_http(choices: Choices, request: AnyRequest, error: HTTPException) -> Response[bytes]:
    code, detail = _HTTP_CODES.get(error.status_code, ("invalid_request", ""))
    said = [
        (str(each.get("key", "")) or None, str(each.get("message", "")))
        for each in (error.extra if isinstance(error.extra, list) else [])
    ]
    if not said and error.detail.startswith("Missing required query parameter"):
        said = [(None, error.detail)]
    handler = cast("dict[str, BaseRouteHandler]", request.scope).get(
        "route_handler"
    )  # none for a path that is no route
    errors = [fault_in_words(pointer, text, choices=choices, handler=handler) for pointer, text in said]
    if error.status_code >= 500:  # noqa: PLR2004 - the server's own fault
        return _answer_unexpected(request, error)
    detailed = "; ".join(f"{each.pointer}: {each.detail}" if each.pointer else each.detail for each in errors)
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return _problem(
        request, Refusal(error.status_code, code, detailed or detail or error.detail, errors=errors, headers=headers)
    )


_HTTP_CODES = {
    400: ("invalid_request", ""),
    404: ("no_route", "there is nothing at this path; /docs lists what there is"),
    405: ("method_not_allowed", "this path does not take this method"),
    413: ("body_too_large", f"the body is larger than {_DEFINITION_BYTES_MAX} bytes"),
}
