"""Health for supervisors, figures for Prometheus."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from tallystick.api_key import Scope
from tallystick_server.auth import allowed, open_to_all
from tallystick_server.dependencies import Access
from tallystick_server.metrics import CONTENT_TYPE, Metrics
from tallystick_server.problem import busy

from .schemas import LiveOut, ReadyOut


class HealthController(Controller):
    """Alive, ready, and in figures."""

    path = "/"
    tags = ("Health",)

    @get("/health/live", operation_id="getLive", summary="Is the process alive", opt=open_to_all())
    async def live(self) -> LiveOut:
        """Answer 200 as soon as the process can answer at all; restart it when this fails."""
        return LiveOut()

    @get("/health/ready", operation_id="getReady", summary="Does it take writes", opt=open_to_all(503))
    async def ready(self, access: Access) -> ReadyOut:
        """Answer 200 when the log was replayed and the store takes writes, 503 with the reason when not."""
        health = access.store.health()
        if access.is_draining:
            raise busy("the appliance is shutting down", code="closing")
        if not health.ready:
            raise busy(health.reason, code="not_ready", retry_after_s=2)
        return ReadyOut(health.head.position)

    @get(
        "/metrics",
        operation_id="getMetrics",
        summary="Figures for Prometheus",
        opt=allowed(Scope.READ),
        media_type="text/plain",
    )
    async def metrics(self, figures: NamedDependency[Metrics]) -> Response[str]:
        """Figures in Prometheus' text format. Needs a key with the scope `read`, unless the setting `metrics_open` is on."""
        return Response(figures.render().decode(), headers={"content-type": CONTENT_TYPE})
