"""The admin API of a vendor's server, called in this process with a real token."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx

from license_server.admin.tokens import Tokens
from license_server.api import license_files, oversight
from license_server.api.endpoints import AnyEndpoint
from license_server.api.openapi import described
from license_server.api.oversight import Premises
from license_server.api.server import AdminApi, BearerTokens
from license_server.api.table import ENDPOINTS
from license_server.app import answer_error
from license_server.checkpoints import CheckpointSigner
from license_server.errors import BodyTooLarge
from license_server.findings import Finding, passed, warned
from license_server.forwarding import TrustedProxies
from license_server.keyset_history import KeySetHistory
from license_server.keyset_steps import KeyFacts
from license_server.license_files import LicenseFileIssuer
from license_server.logs import AccessLog
from license_server.metrics import Metrics
from license_server.middleware import HttpEdge
from license_server.repository.transaction import SqlRepository
from license_server.settings import ShownSetting
from license_server.signing import AUDIT_CHECKPOINT, DECISION, LICENSE_FILE
from license_server.tokens import Role
from support.licensed_vendor import Vendor
from support.licensing import DAY, NOW, SIGNER, CountingThrottle, a_history, key_set


def endpoints() -> tuple[AnyEndpoint, ...]:
    """Return all endpoints, with a signing key for license files."""
    listed = (
        key_set().keys[0].model_copy(update={"use": (DECISION, LICENSE_FILE, AUDIT_CHECKPOINT)})
    )
    history = a_history(key_set(keys=(listed,)))
    return described(
        (
            *ENDPOINTS,
            *license_files.endpoints(lambda: LicenseFileIssuer(SIGNER, history)),
            *oversight.endpoints(premises(history)),
            Metrics(key_set()).endpoint(),
        )
    )


def premises(history: KeySetHistory) -> Premises:
    """Return those of a server without files."""

    async def examine() -> Sequence[Finding]:
        return [passed("K001", "the key is good"), warned("M001", "no mails", "set SMTP_HOST")]

    return Premises(
        examine=examine,
        settings=[ShownSetting("SMTP_PASSWORD", "(set)", is_secret=True, is_default=False)],
        key_facts=lambda: KeyFacts(history.newest.content, SIGNER.kid, False, None),  # noqa: FBT003 - a draft
        keysets=lambda: history,
        checkpoint_signer=lambda: CheckpointSigner(SIGNER, history.newest.content.iss),
        checkpoint_file=Path(mkdtemp()) / "audit-checkpoints.jsonl",
        decisions=lambda: {"OK": 3},
        started_at=NOW,
    )


@dataclass
class Clock:
    """A clock that tests turn."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass
class AdminClient:
    """An HTTP client of the admin API.

    Attributes:
        http: sends requests, without a token.
        vendor: the server behind it.
        clock: of the server.
        tokens: by role.
    """

    http: httpx.AsyncClient
    vendor: Vendor
    clock: Clock
    tokens: dict[Role, str]

    @classmethod
    @asynccontextmanager
    async def opened(cls, vendor: Vendor) -> AsyncIterator["AdminClient"]:
        """Open the API over a vendor's server."""
        clock = Clock()
        known = BearerTokens(vendor.vault, CountingThrottle(1_000))
        api = AdminApi(endpoints(), SqlRepository(vendor.database), vendor.vault, known, clock)
        edge = HttpEdge(
            api,
            answer_error=answer_error,
            too_large=BodyTooLarge,
            max_body_bytes=2**31,
            proxies=TrustedProxies(()),
            access_log=AccessLog(clock, None),
        )
        transport = httpx.ASGITransport(edge)
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as http:
            client = cls(http, vendor, clock, {})
            for role in Role:
                client.tokens[role] = await client.new_token(role)
            yield client

    async def new_token(self, role: Role, lasts: timedelta = 30 * DAY) -> str:
        """Make a token."""
        async with self.vendor.desk(self.clock.now) as desk:
            return (await Tokens(desk).create(role.value, role, lasts)).text

    async def ask(
        self,
        method: str,
        path: str,
        *,
        role: Role = Role.OWNER,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Ask with the token of a role."""
        known = {"Authorization": f"Bearer {self.tokens[role]}", **(headers or {})}
        return await self.http.request(method, f"/v1/admin/{path}", headers=known, **options)

    async def get(self, path: str, **query: Any) -> Any:
        """Return what is answered to a GET that succeeds."""
        return _good(await self.ask("GET", path, params=query))

    async def post(self, path: str, **body: Any) -> Any:
        """Return what is answered to a POST that succeeds."""
        return _good(await self.ask("POST", path, json=body))

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Return status and code of a refusal."""
        response = await self.ask(method, path, **options)
        assert response.headers["content-type"] == "application/problem+json"
        return response.status_code, response.json()["code"]

    async def issue(self, **members: Any) -> Any:
        """Issue a license."""
        return await self.post(
            "licenses", **{"product": "db-api", "email": "ada@example.com", **members}
        )


def _good(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json() if response.content else None
