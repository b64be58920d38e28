"""The composition root: from settings to the application and what it works with."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Final

import structlog
from starlette.types import ASGIApp, Scope

from license_server.api import license_files, oversight
from license_server.api.openapi import described, document
from license_server.api.oversight import Premises
from license_server.api.server import AdminApi, BearerTokens
from license_server.api.table import ENDPOINTS
from license_server.clock import utc_now
from license_server.console.app import Console
from license_server.desk import Vault
from license_server.doctor.examination import examine
from license_server.errors import BodyTooLarge, NotReady
from license_server.forwarding import TrustedProxies
from license_server.key_files import (
    load_checkpoint_signer,
    load_file_issuer,
    load_issuer,
    load_keysets,
    read_key_facts,
)
from license_server.keyset_history import KeySetHistory
from license_server.logs import AccessLog
from license_server.metrics import CountingAccessLog, Metrics
from license_server.middleware import HttpEdge, RawResponse
from license_server.payments import routes as payments
from license_server.portal.app import Portal
from license_server.ports import LicenseRepository
from license_server.problems import render
from license_server.rate_limits import open_limiter
from license_server.reference.serving import Reference, Source, contract
from license_server.repository.database import Database
from license_server.repository.postgres import PostgresLicenses
from license_server.repository.schema import require_current
from license_server.repository.sqlite import SqliteLicenses
from license_server.repository.transaction import SqlRepository
from license_server.routes import build_routes
from license_server.self_service import Handler, SelfService
from license_server.service import LicenseService
from license_server.settings import Settings, shown_settings
from license_server.stores import Repository
from license_server.throttle import RateLimiter
from license_server.web.failures import failure_page, site_of
from license_server.working import load_vault, running_worker

MAX_ADMIN_BYTES: Final = 2**31
"""Longest body on the admin listener, of an import; others are limited where they are read."""

_log = structlog.get_logger(__name__)


def build_app(
    service: LicenseService,
    throttle: RateLimiter,
    *,
    now: Callable[[], datetime],
    access_log: AccessLog,
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = (),
    further: Mapping[str, Mapping[str, Handler]] = MappingProxyType({}),
    links: Mapping[str, Handler] = MappingProxyType({}),
    before: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> ASGIApp:
    """Return the whole public HTTP application around a service.

    Args:
        service: gives the answers.
        throttle: counts requests by source.
        now: the wall clock.
        access_log: gets one line a request.
        trusted_proxies: networks whose forwarded headers are believed.
        further: handlers of other paths, by path and method.
        links: handlers of recovery links, by method.
        before: puts pages before the application.
    """
    routes = build_routes(service, throttle, now, further, links)
    app = before(Reference(contract(), routes))
    return _edge(app, payments.MAX_BODY_BYTES, access_log, trusted_proxies)


def _edge(
    app: ASGIApp,
    max_body_bytes: int,
    access_log: AccessLog,
    trusted_proxies: Sequence[IPv4Network | IPv6Network],
) -> ASGIApp:
    return HttpEdge(
        app,
        answer_error=answer_error,
        too_large=BodyTooLarge,
        max_body_bytes=max_body_bytes,
        proxies=TrustedProxies(trusted_proxies),
        access_log=access_log,
    )


@asynccontextmanager
async def open_apps(settings: Settings) -> AsyncIterator[tuple[ASGIApp, ASGIApp]]:
    """Open the database and yield the applications that work on it: for clients, for the vendor.

    A database that does not answer yet is no reason not to start: `/readyz` tells, and requests
    get 503, until it does.

    Raises:
        ConfigurationError: a file or the schema is missing or unusable.
    """
    database = Database.from_url(settings.database_url.get_secret_value())
    repository = await _open_repository(database)
    try:
        vendor = _Vendor(SqlRepository(database), load_vault(settings))
        keysets = load_keysets(settings.keyset_file)
        metrics = Metrics(keysets.newest.content)
        async with (
            open_limiter(settings, metrics.count_storage_failure) as throttle,
            running_worker(settings, vendor.repository, vendor.vault),
        ):
            yield _build_apps(settings, repository, vendor, keysets, metrics, throttle)
    finally:
        await repository.close()


@dataclass(frozen=True, slots=True)
class _Vendor:
    repository: Repository
    vault: Vault


def _build_apps(
    settings: Settings,
    repository: LicenseRepository,
    vendor: _Vendor,
    keysets: KeySetHistory,
    metrics: Metrics,
    throttle: RateLimiter,
) -> tuple[ASGIApp, ASGIApp]:
    stream = sys.stderr if _logs_requests(settings) else None
    access_log = CountingAccessLog(metrics, utc_now, stream)
    customers = SelfService(vendor.repository, vendor.vault, throttle, utc_now)
    providers = payments.Payments(
        vendor.repository, vendor.vault, settings.payment_secrets(), utc_now
    )
    read_key = partial(load_file_issuer, settings.signing_key_file, settings.keyset_file)
    public = build_app(
        LicenseService(
            repository,
            load_issuer(settings.signing_key_file, keysets),
            keysets,
            vendor.vault.peppers,
            throttle,
            metrics.count_decision,
        ),
        throttle,
        now=utc_now,
        access_log=access_log,
        trusted_proxies=settings.trusted_proxies,
        further=customers.routes() | providers.routes(),
        links=customers.link_handlers(),
        before=partial(
            Portal,
            repository=vendor.repository,
            self_service=customers,
            throttle=throttle,
            load_issuer=read_key,
            now=utc_now,
        ),
    )
    known = BearerTokens(vendor.vault, throttle)
    premises = _premises(settings, metrics)
    endpoints = described(
        (
            *ENDPOINTS,
            *license_files.endpoints(read_key),
            *oversight.endpoints(premises),
            metrics.endpoint(),
        )
    )
    source = Source(lambda: json.dumps(document(endpoints)).encode())
    api = AdminApi(endpoints, vendor.repository, vendor.vault, known, utc_now)
    console = Console(api, endpoints, vendor.repository, vendor.vault, throttle, utc_now)
    admin = Reference(source, console)
    return public, _edge(admin, MAX_ADMIN_BYTES, access_log, settings.trusted_proxies)


def _premises(settings: Settings, metrics: Metrics) -> Premises:
    keysets = partial(load_keysets, settings.keyset_file)
    return Premises(
        examine=lambda: examine(settings, utc_now()),
        settings=shown_settings(settings),
        key_facts=partial(read_key_facts, settings),
        keysets=keysets,
        checkpoint_signer=lambda: load_checkpoint_signer(settings.signing_key_file, keysets()),
        checkpoint_file=settings.audit_checkpoint_file,
        decisions=metrics.decisions,
        started_at=utc_now(),
    )


async def _open_repository(database: Database) -> LicenseRepository:
    try:
        await require_current(database)
    except NotReady:
        _log.warning("database.unreachable")
    is_sqlite = database.path is not None
    repository = SqliteLicenses(database) if is_sqlite else PostgresLicenses(database)
    await repository.open()
    return repository


def _logs_requests(settings: Settings) -> bool:
    return settings.log_level in {"debug", "info"}


def answer_error(error: Exception, scope: Scope) -> RawResponse:
    """Render what a request raised: for people, or for programs."""
    problem = render(error, scope["state"]["request_id"])
    return problem if site_of(scope) is None else failure_page(error, scope, problem)
