"""The composition root: from settings to the application and what it works with."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

import structlog
from starlette.types import ASGIApp, Scope

from license_server.clock import utc_now
from license_server.errors import BodyTooLarge, NotReady
from license_server.forwarding import TrustedProxies
from license_server.key_files import load_issuer, load_keysets, load_peppers
from license_server.logs import AccessLog
from license_server.messages import MAX_BODY_BYTES
from license_server.middleware import HttpEdge, RawResponse
from license_server.ports import LicenseRepository, Throttle
from license_server.problems import render
from license_server.repository.database import Database
from license_server.repository.postgres import PostgresLicenses
from license_server.repository.schema import require_current
from license_server.repository.sqlite import SqliteLicenses
from license_server.routes import build_routes
from license_server.service import LicenseService
from license_server.settings import Settings
from license_server.throttle import BoundedMemory, RateLimiter, rules

_log = structlog.get_logger(__name__)


def build_app(
    service: LicenseService,
    throttle: RateLimiter,
    *,
    now: Callable[[], datetime],
    access_log: AccessLog,
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = (),
) -> ASGIApp:
    """Return the whole HTTP application around a service.

    Args:
        service: gives the answers.
        throttle: counts requests by source.
        now: the wall clock.
        access_log: gets one line a request.
        trusted_proxies: networks whose forwarded headers are believed.
    """
    return HttpEdge(
        build_routes(service, throttle, now),
        answer_error=_answer_error,
        too_large=BodyTooLarge,
        max_body_bytes=MAX_BODY_BYTES,
        proxies=TrustedProxies(trusted_proxies),
        access_log=access_log,
    )


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[ASGIApp]:
    """Open the database and yield the application that works on it.

    A database that does not answer yet is no reason not to start: `/readyz` tells, and requests
    get 503, until it does.

    Raises:
        ConfigurationError: a file or the schema is missing or unusable.
    """
    throttle = RateLimiter(
        rules(settings.requests_per_minute), BoundedMemory(time.monotonic), time.monotonic
    )
    repository = await _open_repository(settings)
    try:
        yield build_app(
            _build_service(settings, repository, throttle),
            throttle,
            now=utc_now,
            access_log=AccessLog(utc_now, sys.stderr if _logs_requests(settings) else None),
            trusted_proxies=settings.trusted_proxies,
        )
    finally:
        await repository.close()


async def _open_repository(settings: Settings) -> LicenseRepository:
    database = Database.from_url(settings.database_url.get_secret_value())
    try:
        await require_current(database)
    except NotReady:
        _log.warning("database.unreachable")
    is_sqlite = database.path is not None
    repository = SqliteLicenses(database) if is_sqlite else PostgresLicenses(database)
    await repository.open()
    return repository


def _build_service(
    settings: Settings, repository: LicenseRepository, throttle: Throttle
) -> LicenseService:
    keysets = load_keysets(settings.keyset_file)
    return LicenseService(
        repository,
        load_issuer(settings.signing_key_file, keysets),
        keysets,
        load_peppers(settings.peppers_file),
        throttle,
    )


def _logs_requests(settings: Settings) -> bool:
    return settings.log_level in {"debug", "info"}


def _answer_error(error: Exception, scope: Scope) -> RawResponse:
    return render(error, scope["state"]["request_id"])
