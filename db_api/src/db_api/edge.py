"""Everything around the routes, from the outside in: counted, guarded, licensed."""

import sys
from functools import partial

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from db_api import rest
from db_api.addresses import is_loopback
from db_api.callers import KEY_PREFIX
from db_api.clock import utc_now
from db_api.cors import CorsHeaders, CrossOriginRule, Preflights
from db_api.errors import BodyTooLargeError
from db_api.forwarding import TrustedProxies
from db_api.gatekeeper import LicensedApp
from db_api.https_rule import ArrivalWatch, HttpsOnly, NoteExposure
from db_api.license_gate import LicenseGate
from db_api.logs import AccessLog
from db_api.metrics import MeasuredApp, Metrics, templates_of
from db_api.middleware import HttpEdge
from db_api.problems import answer_error
from db_api.setting_values import LogLevel
from db_api.settings import Settings


class KeyedAccessLog(AccessLog):
    """An access log whose lines say which API key was used, by its prefix."""

    def members(self) -> str:
        """Return the prefix, which is hexadecimal digits."""
        prefix = KEY_PREFIX.get()
        return f'"key_prefix":"{prefix}",' if prefix else ""


def build_edge(
    router: Router, settings: Settings, gate: LicenseGate, metrics: Metrics, note: NoteExposure
) -> MeasuredApp:
    """Put what holds for every request around the routes; what is not configured costs nothing.

    Args:
        router: the routes.
        settings: of the service.
        gate: of the license.
        metrics: count.
        note: takes note of a credential that came in the clear.
    """
    inner: ASGIApp = LicensedApp(router, gate)
    if _may_come_in_the_clear(settings):
        inner = HttpsOnly(inner, note)
    if settings.cors_origins:
        inner = Preflights(inner)
    proxies = TrustedProxies(settings.trusted_proxies)
    edge = partial(
        HttpEdge,
        inner,
        answer_error=answer_error,
        too_large=BodyTooLargeError,
        proxies=proxies,
        access_log=_access_log(settings),
    )
    outer: ASGIApp = _EdgeByBody(
        usual=edge(max_body_bytes=settings.max_body_bytes),
        of_loads=edge(max_body_bytes=settings.max_load_bytes),
    )
    if _may_come_in_the_clear(settings):
        refuses_strangers = not is_loopback(settings.host) and settings.tls_cert_file is None
        outer = ArrivalWatch(outer, proxies, refuses_strangers=refuses_strangers)
    if settings.cors_origins:
        rule = CrossOriginRule(settings.cors_origins, with_credentials=settings.cors_credentials)
        outer = CorsHeaders(outer, rule)
    return MeasuredApp(outer, metrics, templates_of(router.routes))


class _EdgeByBody:
    """Chooses the edge by what a request brings: rows that may be many, or anything else."""

    def __init__(self, usual: ASGIApp, of_loads: ASGIApp) -> None:
        self._usual = usual
        self._of_loads = of_loads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        edge = self._of_loads if rest.may_be_load(scope) else self._usual
        await edge(scope, receive, send)


def _may_come_in_the_clear(settings: Settings) -> bool:
    return bool(settings.trusted_proxies)  # without a proxy it is TLS or this machine alone


def _access_log(settings: Settings) -> AccessLog:
    is_wanted = settings.log_level in (LogLevel.DEBUG, LogLevel.INFO)
    return KeyedAccessLog(utc_now, sys.stderr if is_wanted else None)
