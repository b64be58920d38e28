"""What Prometheus scrapes: counts of this process, and how it stands at that moment.

Requests are counted by the template of their route, never by their path: paths hold names of
tables and ids, and any visitor can make up new ones.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, WrappedLogger

from db_api.callers import KEY_PREFIX
from db_api.license_gate import LicenseGate
from db_api.routes.endpoints import Access, Endpoint, Identity

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
NO_ROUTE: Final = "none"
SECURITY_EVENTS: Final = frozenset(
    {
        "auth.failed",
        "auth.lockout",
        "authz.denied",
        "config.insecure",
        "credential.exposed",
        "http.refused",
        "license.state",
        "login.refused",
        "ratelimit.hit",
    }
)
"""Events of the log that are counted too, whatever the level of the log."""
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0)
_TRUNCATED: Final = (b"x-result-truncated", b"true")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class PoolLevel:
    """How full the connections for data are.

    Attributes:
        size: connections at most.
        in_use: lent to a request.
        waiting: requests that wait for one.
    """

    size: int
    in_use: int
    waiting: int


class Metrics:
    """The counts of one process.

    Args:
        gate: of the license.
        pool: tells how full the connections are.
    """

    def __init__(self, gate: LicenseGate, pool: Callable[[], PoolLevel]) -> None:
        self._gate = gate
        self._pool = pool
        self.registry = CollectorRegistry()
        self._requests = self._counter(
            "requests", "Answered requests.", ("method", "route", "status")
        )
        self._latency = Histogram(
            "db_api_request_seconds",
            "From head to end.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._truncated = self._counter("truncated_results", "Answers that a cap cut off.", ())
        self._events = self._counter(
            "security_events", "Events of the log that tell of attacks or dangers.", ("event",)
        )
        for event in SECURITY_EVENTS:
            self._events.labels(event)
        self._pool_gauges = {
            name: self._gauge(f"pool_{name}", meaning)
            for name, meaning in (
                ("size", "Connections for data at most."),
                ("in_use", "Connections for data that a request holds."),
                ("waiting", "Requests that wait for a connection."),
            )
        }
        self._license = self._gauge("license_usable", "1 while data routes are open.")
        self._expires = self._gauge("license_expires_seconds", "End of the license.")
        self._grace_ends = self._gauge(
            "license_grace_ends_seconds", "End of the grace that it is in."
        )
        self._verified = self._gauge(
            "license_verified_seconds", "When the license server last answered."
        )
        self._state = Gauge(
            "db_api_license_state", "1 for the state it is in.", ["state"], registry=self.registry
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request; 0 is the status of one that got no answer."""
        key = (method, route, status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._requests.labels(method, route, str(status))
            self._histograms.setdefault(route, self._latency.labels(route))
        counter.inc()
        self._histograms[route].observe(seconds)

    def count_truncation(self) -> None:
        """Count an answer that a cap of the service cut off."""
        self._truncated.inc()

    def count_event(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Count an event of the log, as a processor of structlog's."""
        if event["event"] in SECURITY_EVENTS:
            self._events.labels(event["event"]).inc()
        return event

    def scrape(self) -> bytes:
        """Return everything in Prometheus' text form."""
        level = self._pool()
        for name, gauge in self._pool_gauges.items():
            gauge.set(getattr(level, name))
        self._license.set(self._gate.is_open)
        view = self._gate.view
        self._expires.set(_unix(view.expires_at, math.inf))
        self._grace_ends.set(_unix(view.grace_ends_at, math.inf))
        self._verified.set(_unix(view.last_verified_at, 0))
        self._state.clear()
        self._state.labels(view.state).set(1)
        return generate_latest(self.registry)

    def endpoint(self) -> Endpoint:
        """Return where the administrator sees them."""
        return Endpoint("GET", "/metrics", Access.ADMIN, self._show)

    async def _show(self, _request: Request, _identity: Identity) -> Response:
        return Response(self.scrape(), media_type=MEDIA_TYPE)

    async def listener(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve them alone, to whoever reaches METRICS_PORT."""
        is_known = scope["path"] == "/metrics" and scope["method"] in {"GET", "HEAD"}
        body = self.scrape() if is_known else b""
        await Response(body, 200 if is_known else 404, media_type=MEDIA_TYPE)(scope, receive, send)

    def _counter(self, name: str, meaning: str, labels: Iterable[str]) -> Counter:
        return Counter(f"db_api_{name}", meaning, list(labels), registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"db_api_{name}", meaning, registry=self.registry)


def _unix(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()


class MeasuredApp:
    """An ASGI application whose requests are counted.

    Attributes:
        metrics: of its process.

    Args:
        app: the whole service, its edge included.
        metrics: count.
        templates: of the routes, by the application behind each.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, templates: Mapping[object, str]) -> None:
        self._app = app
        self.metrics = metrics
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and count its answer."""
        started_at = perf_counter()
        KEY_PREFIX.set("")  # a task may serve several requests
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if _TRUNCATED in message["headers"]:
                    self.metrics.count_truncation()
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = self._templates.get(scope.get("endpoint"), NO_ROUTE)
            self.metrics.count_request(method, route, status, perf_counter() - started_at)


def templates_of(routes: Iterable[BaseRoute]) -> dict[object, str]:
    """Name the template of each route by the application behind it."""
    return {route.endpoint: route.path for route in routes if isinstance(route, Route)}
