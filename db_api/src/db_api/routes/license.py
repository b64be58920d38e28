"""`/api/license`: what the gate holds, a check of any license, and putting another one under it.

These stay open while the gate is closed: they are how it opens.
"""

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.errors import TooManyRequestsError
from db_api.license_gate import LicenseGate
from db_api.license_view import LicenseView
from db_api.owner_file import Owner
from db_api.rates import TokenBuckets
from db_api.routes.endpoints import Access, Endpoint, Identity, address_of
from db_api.routes.rendering import Body, Json, answer, instant, read_body

_NEXT_START = (
    "License activated, and kept in LICENSE_CACHE_DIR for the next start. LICENSE_KEY and "
    "LICENSE_EMAIL, where they are set, are tried first: set them to this license."
)


class ValidateBody(Body):
    """Body of validate."""

    license_key: str = Field(min_length=1, max_length=128, repr=False)
    email: str | None = Field(default=None, min_length=1, max_length=320)


class ActivateBody(Body):
    """Body of activate."""

    license_key: str = Field(min_length=1, max_length=128, repr=False)
    email: str = Field(min_length=1, max_length=320)


class LicenseRoutes:
    """Answers about the license.

    Args:
        gate: the gate of this process.
        checks: limits validate by address.
    """

    def __init__(self, gate: LicenseGate, checks: TokenBuckets) -> None:
        self._gate = gate
        self._checks = checks

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("GET", "/api/license/status", Access.ANYONE, self._status),
            Endpoint("POST", "/api/license/validate", Access.ANYONE, self._validate),
            Endpoint("POST", "/api/license/activate", Access.ADMIN, self._activate),
        )

    async def _status(self, _request: Request, _identity: Identity) -> JSONResponse:
        return JSONResponse(_shown(self._gate.view))

    async def _validate(self, request: Request, _identity: Identity) -> JSONResponse:
        if wait_seconds := self._checks.take(address_of(request)):
            raise TooManyRequestsError("Too many license checks from this address.", wait_seconds)
        body = await read_body(request, ValidateBody)
        view = await self._gate.check(body.license_key, body.email)
        return JSONResponse(
            {
                "valid": view.valid,
                "message": view.message,
                "type": view.type,
                "expiresAt": instant(view.expires_at),
                "code": view.code,
            }
        )

    async def _activate(self, request: Request, _identity: Identity) -> JSONResponse:
        body = await read_body(request, ActivateBody)
        view = await self._gate.activate(Owner(body.license_key, body.email))
        return answer(_shown(view), _NEXT_START)


def _shown(view: LicenseView) -> dict[str, Json]:
    ends = instant(view.expires_at)
    return {
        "valid": view.valid,
        "status": view.status,
        "type": view.type,
        "expiresAt": ends,
        "trialExpiresAt": ends if view.type == "trial" else None,
        "gracePeriodEndsAt": instant(view.grace_ends_at),
        "code": view.code,
        "message": view.message,
        "lastVerifiedAt": instant(view.last_verified_at),
        "nextRefreshAt": instant(view.next_refresh_at),
        "warnings": list(view.warnings),
    }
