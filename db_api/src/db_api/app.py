"""The composition root: from settings to the one ASGI application and what it lives on."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.routing import Router
from starlette.types import Scope

from db_api import docs_page, rest
from db_api.admin_login import AdminLogin
from db_api.allowances import desk_limits, engine_limits, write_policy
from db_api.auth import Authenticator, Limits
from db_api.callers import Caller
from db_api.catalog import Catalog, CatalogWatch, Listener, Pace
from db_api.clock import monotonic_seconds, utc_now
from db_api.connections import Connections
from db_api.control.audit import record_alone
from db_api.control.database import open_control
from db_api.control.keys import KeyStore
from db_api.control.login_rights import judge_login, read_login_rights
from db_api.control.logins import LoginStore
from db_api.control.revision import require_revision
from db_api.edge import build_edge
from db_api.engine import Engine
from db_api.errors import (
    AccessDeniedError,
    LicenseClosedError,
)
from db_api.execution import Database, Terms
from db_api.exposures import Exposures
from db_api.findings import Level
from db_api.first_contact import FirstContact
from db_api.hangup import calling_on_hangup
from db_api.key_directory import KeyDirectory
from db_api.key_uses import KeyUses
from db_api.license_gate import LicenseGate
from db_api.logins import Logins, LoginVault
from db_api.metrics import MeasuredApp, Metrics, PoolLevel
from db_api.openapi import Describer
from db_api.page_tokens import PageTokens
from db_api.passwords import hash_password
from db_api.provisioner import Provisioner
from db_api.rates import Rate, TokenBuckets
from db_api.readiness import OK, Probes, Readiness
from db_api.rest_errors import RestError
from db_api.rest_root import root_route
from db_api.routes.batch import BatchRoutes
from db_api.routes.endpoints import Endpoint, address_of, management_routes, nothing_there
from db_api.routes.health import HealthRoutes
from db_api.routes.keys import KeyRoutes
from db_api.routes.license import LicenseRoutes
from db_api.routes.query import QueryRoutes
from db_api.routes.schema_cache import SchemaCacheRoutes
from db_api.routes.schemas import SchemaRoutes
from db_api.routes.table_changes import TableChangeRoutes
from db_api.routes.tables import TableRoutes
from db_api.routes.trial import TrialRoutes
from db_api.schemas import SchemaStore
from db_api.setting_values import AppEnv, GateMode
from db_api.settings import Settings, SettingsError
from db_api.user_sql.desk import Desk
from db_api.user_sql.slots import Slots

_LICENSE_CHECKS: Final = Rate(per_second=10 / 60, burst=10)  # by address

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_app(settings: Settings, gate: LicenseGate) -> AsyncIterator[MeasuredApp]:
    """Open everything in the order in which it can refuse, and close it afterwards.

    1. The license: without a usable one nothing else is touched, unless LICENSE_GATE=lock.
    2. The service's own tables, and the rights of its login. Where the database does not answer,
       the service starts all the same and is not ready until it does.
    3. The data side, which connects when it is first asked, and what keeps its schema cache fresh.

    Raises:
        LicenseClosedError: no usable license within LICENSE_START_WAIT.
        MigrationNeededError: the tables are of another revision.
        SettingsError: the login of DATABASE_URL may do too much for production.
    """
    async with AsyncExitStack() as stack:
        stack.callback(gate.close)
        await gate.open()
        if not gate.is_open and settings.license_gate is GateMode.EXIT:
            raise LicenseClosedError(gate.view.message, details=gate.view.code)
        _log.info("license.state", state=gate.view.state, usable=gate.is_open)

        url = settings.database_url.get_secret_value()
        control = open_control(url)
        stack.push_async_callback(control.dispose)
        contact = FirstContact(partial(_require_fit, settings, control), _stop_process)
        stack.callback(contact.close)
        await contact.meet()

        connections = Connections(url, settings.pool_size)
        stack.push_async_callback(connections.close)
        vault = LoginVault(url, settings.root_keys)
        logins = Logins(LoginStore(control).of_schema, vault, monotonic_seconds)
        database = Database(
            connections,
            settings.pool_timeout_seconds,
            logins,
            names_requests=settings.sql_request_ids,
        )
        catalog = Catalog(database.read_schema_cache, monotonic_seconds)
        watch = CatalogWatch(catalog, database.read_fingerprint, Pace())
        await stack.enter_async_context(watch.running(Listener(url, watch.ask)))
        stack.enter_context(calling_on_hangup(watch.ask))
        key_uses = KeyUses(KeyStore(control).mark_used, utc_now)
        await stack.enter_async_context(key_uses.running())
        data = DataSide(connections, logins, database, catalog, key_uses)
        yield build_app(settings, gate, control, data)
        contact.require_accepted()


async def _require_fit(settings: Settings, control: AsyncEngine) -> None:
    """Do nothing if the database has our tables, and gives us no more than we should have."""
    await require_revision(control)
    if settings.app_env is AppEnv.DEVELOPMENT:
        return
    finding = judge_login(await read_login_rights(control))
    if finding.level is Level.FAIL:
        raise SettingsError((f"{finding.text}; {finding.remedy}",))


def _stop_process() -> None:
    signal.raise_signal(signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class DataSide:
    """What reaches the customer's data."""

    connections: Connections
    logins: Logins
    database: Database
    catalog: Catalog
    key_uses: KeyUses


def build_app(
    settings: Settings, gate: LicenseGate, control: AsyncEngine, data: DataSide
) -> MeasuredApp:
    """Put the application together from what is open already."""
    engine = Engine(
        data.database,
        data.catalog,
        engine_limits(settings),
        write_policy(settings),
        PageTokens(settings.root_keys),
        settings.db_extra_search_path,
    )
    describer = Describer(data.database, data.catalog, settings.statement_timeout_service_ms)
    authenticator = _make_authenticator(settings, control, data.key_uses)
    metrics = Metrics(gate, partial(_pool_level, data.connections))
    endpoints = (
        *make_endpoints(gate, control, data.catalog, _make_provisioner(settings, control)),
        *_table_changes(settings, control, data).endpoints(),
        *BatchRoutes(engine, partial(_count_request, authenticator)).endpoints(),
        *QueryRoutes(_make_desk(settings, control, data.logins), utc_now).endpoints(),
        metrics.endpoint(),
    )
    router = Router(
        [
            root_route(describer, _rest_authentication(authenticator)),
            *rest.routes(engine, _rest_authentication(authenticator), settings.max_body_bytes),
            *management_routes(endpoints, authenticator),
            *docs_page.routes(),
        ],
        redirect_slashes=False,
        default=nothing_there,
    )
    exposures = Exposures(KeyStore(control).find, control, utc_now)
    return build_edge(router, settings, gate, metrics, exposures.note)


def _table_changes(settings: Settings, control: AsyncEngine, data: DataSide) -> TableChangeRoutes:
    def terms(schema: str) -> Terms:
        return Terms(
            schema=schema,
            is_read_only=False,
            statement_timeout_ms=settings.statement_timeout_service_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
        )

    return TableChangeRoutes(
        data.database, partial(record_alone, control), data.catalog.reload, terms, utc_now
    )


async def _count_request(authenticator: Authenticator, request: Request) -> object:
    return await authenticator.identify(request.scope["headers"], address_of(request))


def _pool_level(connections: Connections) -> PoolLevel:
    return PoolLevel(connections.size, connections.in_use, connections.waiting)


def _make_provisioner(settings: Settings, control: AsyncEngine) -> Provisioner:
    url = settings.database_url.get_secret_value()
    return Provisioner(url, control, LoginVault(url, settings.root_keys))


def make_endpoints(
    gate: LicenseGate, control: AsyncEngine, catalog: Catalog, provisioner: Provisioner
) -> tuple[Endpoint, ...]:
    """List every endpoint of the management side."""
    keys, schemas = KeyStore(control), SchemaStore(control)
    probes = Probes(
        database=lambda: require_revision(control),
        schema_cache=lambda: _is_loaded(catalog),
        license_code=lambda: OK if gate.is_open else gate.view.code,
    )
    return (
        *HealthRoutes(Readiness(probes, monotonic_seconds), utc_now).endpoints(),
        *LicenseRoutes(gate, TokenBuckets(_LICENSE_CHECKS, monotonic_seconds)).endpoints(),
        *TrialRoutes(gate, utc_now).endpoints(),
        *SchemaRoutes(schemas, provisioner, catalog.reload, utc_now).endpoints(),
        *SchemaCacheRoutes(catalog.reload, control).endpoints(),
        *KeyRoutes(keys, schemas, utc_now).endpoints(),
        *TableRoutes(catalog).endpoints(),
    )


def _make_authenticator(
    settings: Settings, control: AsyncEngine, key_uses: KeyUses
) -> Authenticator:
    failed_logins = settings.failed_logins_per_minute
    limits = Limits(
        failures=TokenBuckets(Rate(failed_logins / 60, failed_logins), monotonic_seconds),
        requests=TokenBuckets(
            Rate(settings.key_requests_per_second, settings.key_burst), monotonic_seconds
        ),
    )
    return Authenticator(
        AdminLogin(settings.auth_user, _password_hash(settings), monotonic_seconds),
        KeyDirectory(KeyStore(control).find, monotonic_seconds, key_uses.note),
        limits,
        utc_now,
    )


def _password_hash(settings: Settings) -> str:
    if settings.auth_pass_hash is not None:
        return settings.auth_pass_hash.get_secret_value()
    if settings.auth_pass is None:
        raise ValueError("settings without a password")  # read_settings lets none pass
    return hash_password(settings.auth_pass.get_secret_value())


def _rest_authentication(authenticator: Authenticator) -> rest.Authenticate:
    async def authenticate(scope: Scope) -> Caller:
        client = scope["client"]
        identity = await authenticator.identify(scope["headers"], client[0] if client else "")
        if isinstance(identity, Caller):
            return identity
        raise AccessDeniedError(
            "Data is reached with the API key of a schema, not by HTTP Basic.",
            hint="`POST /api/project/{schema}/keys` makes one.",
        )

    return authenticate


def _make_desk(settings: Settings, control: AsyncEngine, logins: Logins) -> Desk:
    return Desk(
        settings.database_url.get_secret_value(),
        logins,
        Slots(settings.sql_connections, settings.pool_timeout_seconds),
        control,
        desk_limits(settings),
    )


async def _is_loaded(catalog: Catalog) -> bool:
    try:
        await catalog.snapshot()
    except RestError:
        return False
    return True
