"""`/api/trial`: asking the vendor for a trial, and how the trial stands.

The key goes by mail to the address, which proves that it is its owner's; whoever has it activates
it as any other. These stay open while the gate is closed.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.license_gate import LicenseGate
from db_api.license_view import LicenseView
from db_api.routes.endpoints import Access, Endpoint, Identity
from db_api.routes.rendering import Body, Json, answer, instant, read_body

_DAY: Final = timedelta(days=1)
_NEXT: Final = (
    "The request was passed on. If this address may have a trial, its key comes by mail: "
    "POST /api/license/activate takes it, or `db-api activate`."
)


class StartBody(Body):
    """Body of the start of a trial."""

    email: str = Field(min_length=1, max_length=320)


class TrialRoutes:
    """Answers about a trial.

    Args:
        gate: the gate of this process.
        utc_now: the wall clock.
    """

    def __init__(self, gate: LicenseGate, utc_now: Callable[[], datetime]) -> None:
        self._gate = gate
        self._utc_now = utc_now
        self._requested_at: datetime | None = None

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("POST", "/api/trial/start", Access.ADMIN, self._start),
            Endpoint("GET", "/api/trial/status", Access.ADMIN, self._status),
        )

    async def _start(self, request: Request, _identity: Identity) -> JSONResponse:
        body = await read_body(request, StartBody)
        await self._gate.request_trial(body.email)
        self._requested_at = self._utc_now()
        return answer(self._shown(), _NEXT)

    async def _status(self, _request: Request, _identity: Identity) -> JSONResponse:
        return JSONResponse(self._shown())

    def _shown(self) -> dict[str, Json]:
        view = self._gate.view
        ends_at = view.expires_at if view.type == "trial" else None
        return {
            "status": self._word(view),
            "requestedAt": instant(self._requested_at),
            "trialExpiresAt": instant(ends_at),
            "daysLeft": None if ends_at is None else _days_until(ends_at, self._utc_now()),
        }

    def _word(self, view: LicenseView) -> str:
        """Say how it stands: none, requested, active, expired, or whatever else ended it."""
        if view.type == "trial":
            return "active" if view.valid else view.status
        return "none" if self._requested_at is None else "requested"


def _days_until(moment: datetime, now: datetime) -> int:
    return max(0, math.ceil((moment - now) / _DAY))
