"""What is on this machine: settings and TLS files; it asks nobody and is fast."""

import ssl
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from db_api.findings import Finding, Level, failed, passed, warned
from db_api.production_rules import SECRETS, judge
from db_api.secret_files import with_secret_files
from db_api.setting_values import AppEnv
from db_api.settings import SettingsError, read_settings

_CERTIFICATE_SOON: Final = timedelta(days=21)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def examine_machine(environ: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """Look at what the environment says and names.

    Args:
        environ: of the service that is to be started.
        now: against which certificates end.
    """
    values, _ = with_secret_files(environ, SECRETS)
    judged = list(judge(values))
    yield _settings(environ, judged)
    is_development = values.get("APP_ENV") == AppEnv.DEVELOPMENT
    yield from map(_as_development_takes_it, judged) if is_development else judged
    yield from _certificate(values, now)


def _settings(environ: Mapping[str, str], judged: Sequence[Finding]) -> Finding:
    """Name what has no finding of its own."""
    told = {f"{finding.text}; {finding.remedy}" for finding in judged}
    try:
        read_settings(environ)
    except SettingsError as error:
        if mistakes := [mistake for mistake in error.mistakes if mistake not in told]:
            remedy = "set these as the README's table of settings says"
            return failed("S000", "; ".join(mistakes), remedy)
    return passed("S000", "every setting has its form")


def _as_development_takes_it(finding: Finding) -> Finding:
    if finding.level is not Level.FAIL:
        return finding
    return replace(finding, level=Level.WARN, text=f"{finding.text} (production refuses this)")


def _certificate(values: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    cert, key = (values.get(name) for name in ("TLS_CERT_FILE", "TLS_KEY_FILE"))
    if cert is None or key is None:
        yield passed("T001", "this serves plain HTTP, whose way N002 judges")
        return
    remedy = "put a PEM certificate chain and its own key in TLS_CERT_FILE and TLS_KEY_FILE"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
        ends_at = x509.load_pem_x509_certificate(Path(cert).read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        yield failed("T001", f"the TLS files cannot be used: {type(error).__name__}", remedy)
        return
    yield passed("T001", "the TLS certificate and its key belong together")
    yield _term(ends_at, now)
    if Path(key).stat().st_mode & _OTHERS:
        yield warned("T003", f"the TLS key {key} is open to other users", f"run `chmod 600 {key}`")
    else:
        yield passed("T003", "the TLS key is open to nobody else")


def _term(ends_at: datetime, now: datetime) -> Finding:
    day = f"{ends_at:%Y-%m-%d}"
    if ends_at <= now:
        return failed("T002", f"the TLS certificate ended on {day}", "renew it")
    if ends_at - now < _CERTIFICATE_SOON:
        return warned("T002", f"the TLS certificate ends on {day}", "renew it")
    return passed("T002", f"the TLS certificate is good until {day}")
