"""Everything around the routes, from the outside in: counted, guarded, licensed."""

import sys

from starlette.routing import Router

from db_api.callers import KEY_PREFIX
from db_api.clock import utc_now
from db_api.errors import BodyTooLargeError
from db_api.forwarding import TrustedProxies
from db_api.gatekeeper import LicensedApp
from db_api.license_gate import LicenseGate
from db_api.logs import AccessLog
from db_api.metrics import MeasuredApp, Metrics, templates_of
from db_api.middleware import HttpEdge
from db_api.problems import answer_error
from db_api.settings import LogLevel, Settings


class KeyedAccessLog(AccessLog):
    """An access log whose lines say which API key was used, by its prefix."""

    def members(self) -> str:
        """Return the prefix, which is hexadecimal digits."""
        prefix = KEY_PREFIX.get()
        return f'"key_prefix":"{prefix}",' if prefix else ""


def build_edge(
    router: Router, settings: Settings, gate: LicenseGate, metrics: Metrics
) -> MeasuredApp:
    """Put what holds for every request around the routes."""
    edge = HttpEdge(
        LicensedApp(router, gate),
        answer_error=answer_error,
        too_large=BodyTooLargeError,
        max_body_bytes=settings.max_body_bytes,
        proxies=TrustedProxies(settings.trusted_proxies),
        access_log=_access_log(settings),
    )
    return MeasuredApp(edge, metrics, templates_of(router.routes))


def _access_log(settings: Settings) -> AccessLog:
    is_wanted = settings.log_level in (LogLevel.DEBUG, LogLevel.INFO)
    return KeyedAccessLog(utc_now, sys.stderr if is_wanted else None)
