"""`/api/health`: alive, and ready. Open to anyone; the first touches nothing."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.readiness import OK, Readiness
from db_api.routes.endpoints import Access, Endpoint, Identity
from db_api.routes.rendering import instant


class HealthRoutes:
    """Answers for probes."""

    def __init__(self, readiness: Readiness, utc_now: Callable[[], datetime]) -> None:
        self._readiness = readiness
        self._utc_now = utc_now

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("GET", "/api/health", Access.ANYONE, self._alive),
            Endpoint("GET", "/api/health/ready", Access.ANYONE, self._ready),
        )

    async def _alive(self, _request: Request, _identity: Identity) -> JSONResponse:
        return JSONResponse({"status": "ok", "timestamp": instant(self._utc_now())})

    async def _ready(self, _request: Request, _identity: Identity) -> JSONResponse:
        checks = await self._readiness.checks()
        if all(state == OK for state in checks.values()):
            return JSONResponse({"status": "ready", "checks": checks})
        body = {"status": "not_ready", "checks": checks}
        return JSONResponse(body, HTTPStatus.SERVICE_UNAVAILABLE)
