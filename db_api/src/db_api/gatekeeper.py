"""The license gate in front of the application: for each request one attribute is read."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from db_api.errors import LicenseClosedError
from db_api.license_gate import LicenseGate

_OPEN_WHILE_LOCKED: Final = ("/api/health", "/api/license/", "/api/trial/", "/metrics")


class LicensedApp:
    """An ASGI application that answers while the license is usable.

    Health and the license's own routes always answer: they are how the gate opens again.
    """

    def __init__(self, app: ASGIApp, gate: LicenseGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or raise."""
        if not self._gate.is_open and not scope["path"].startswith(_OPEN_WHILE_LOCKED):
            view = self._gate.view
            raise LicenseClosedError(
                f"The license is not usable: {view.message}",
                details=view.code,
                hint="GET /api/license/status says more; POST /api/license/activate, or "
                "`db-api activate` on the machine, opens it without a restart.",
            )
        await self._app(scope, receive, send)
