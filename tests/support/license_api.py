"""The license server's HTTP application over a server in memory, without a socket."""

import io
import json
from typing import Any

import httpx
from starlette.types import ASGIApp

from license_server.app import build_app
from license_server.logs import AccessLog
from license_server.throttle import BoundedMemory
from support.licensing import EMAIL, KEY, NOW, PRODUCT, MemoryServer, a_limiter

BODY: dict[str, Any] = {
    "license_key": KEY.reveal("LIC"),
    "email": EMAIL.address,
    "product": PRODUCT,
    "instance_id": "0d6f2a52-6c1c-4d0e-8f0e-0123456789ab",
    "nonce": "AAAAAAAAAAAAAAAAAAAAAA",
    "client": {"name": "license-client", "version": "1.0.0"},
    "keyset_epoch": 1,
}


def body(**changes: Any) -> bytes:
    """Return a request of the right key and email, changed as told; None leaves a member out."""
    members = {name: value for name, value in {**BODY, **changes}.items() if value is not None}
    return json.dumps(members).encode()


class LicenseApi:
    """An HTTP client of an application in memory.

    Attributes:
        seconds: the monotonic clock of the rate limits; tests turn it.
        log: the access lines.
    """

    def __init__(self, server: MemoryServer | None = None, per_minute: int = 1_000) -> None:
        self.server = server or MemoryServer()
        self.seconds = 0.0
        self.log = io.StringIO()
        throttle = a_limiter(BoundedMemory(self._now), per_minute)
        self.app: ASGIApp = build_app(
            self.server.service,
            throttle,
            now=lambda: NOW,
            access_log=AccessLog(lambda: NOW, self.log),
        )

    async def request(
        self, method: str, target: str, *, source: str = "192.0.2.1", **options: Any
    ) -> httpx.Response:
        """Send one request from the address `source`."""
        transport = httpx.ASGITransport(self.app, client=(source, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.request(method, target, **options)

    async def post(
        self, operation: str = "validate", content: bytes | None = None, **options: Any
    ) -> httpx.Response:
        """Ask for an operation, with the right key and email if no content is given."""
        return await self.request(
            "POST",
            f"/v1/licenses/{operation}",
            content=body() if content is None else content,
            headers={"Content-Type": "application/json"},
            **options,
        )

    def _now(self) -> float:
        return self.seconds
