"""What production refuses in the settings alone, and what `db-api doctor` says of them.

Judged on the raw values, so that one mistake hides no other. A start in production ends on every
FAIL of these; the ids stand in `DOCTOR.md`.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from db_api.addresses import database_hosts, is_loopback, is_public
from db_api.findings import Finding, failed, passed, warned
from db_api.passwords import password_weakness
from db_api.secret_files import readable_by_others

SECRETS: Final = (
    "DATABASE_URL",
    "AUTH_PASS",
    "AUTH_PASS_HASH",
    "LICENSE_KEY",
    "LICENSE_EMAIL",
    "LICENSE_ENCRYPTION_KEY",
    "LICENSE_ENCRYPTION_KEY_PREVIOUS",
)
DEFAULT_HOST: Final = "127.0.0.1"
_IN_THE_CLEAR: Final = frozenset({"", "disable", "allow", "prefer"})
_HEX_LENGTH: Final = 64
_MIN_DISTINCT_DIGITS: Final = 8  # 64 random digits have fewer once in 10^16
_SEQUENCE: Final = "0123456789abcdef"
_GEN_KEY: Final = "`db-api gen encryption-key` makes one"


def judge(values: Mapping[str, str]) -> Iterator[Finding]:
    """Look at settings, without asking anybody.

    Args:
        values: of the environment, the contents of secret files among them.
    """
    yield _password(values)
    yield _files(values)
    yield _database_way(values)
    yield _database_place(values)
    yield _listener(values)
    yield _encryption_key(values)
    yield _previous_key(values)
    yield _cross_origin(values)
    yield _user()


def _password(values: Mapping[str, str]) -> Finding:
    password = values.get("AUTH_PASS")
    if password is None:
        return passed("A002", "the administrator's password is kept as its hash")
    weakness = password_weakness(values.get("AUTH_USER", ""), password)
    if weakness:
        return failed("A002", f"AUTH_PASS: {weakness}", "`db-api gen password` makes one")
    return passed("A002", "the administrator's password is long and not a known one")


def _files(values: Mapping[str, str]) -> Finding:
    if open_files := readable_by_others(values, SECRETS):
        return warned(
            "A003",
            f"other users of this machine may read what {', '.join(open_files)} names",
            "`chmod 600` the file, owned by the service's user",
        )
    return passed("A003", "no secret file is open to other users")


def _database_way(values: Mapping[str, str]) -> Finding:
    url = values.get("DATABASE_URL", "")
    if not database_hosts(url):
        return passed("D001", "the database is on this machine")
    mode = _ssl_mode(url) or values.get("PGSSLMODE", "")
    if mode in _IN_THE_CLEAR:
        remedy = "set sslmode=verify-full in it"
        if values.get("DB_ALLOW_PLAINTEXT") in {"1", "true"}:
            return warned("D001", "DATABASE_URL: may go in the clear, as allowed", remedy)
        return failed(
            "D001",
            "DATABASE_URL: the way to another host may be in the clear",
            f"{remedy}, or DB_ALLOW_PLAINTEXT=1 where the network is trusted",
        )
    if mode != "verify-full":
        return warned(
            "D001",
            f"sslmode={mode} does not verify who the database server is",
            "set sslmode=verify-full and sslrootcert in DATABASE_URL",
        )
    return passed("D001", "the database server is verified by TLS")


def _ssl_mode(url: str) -> str:
    try:
        return parse_qs(urlsplit(url).query).get("sslmode", [""])[-1]
    except ValueError:
        return ""


def _database_place(values: Mapping[str, str]) -> Finding:
    hosts = [host for host in database_hosts(values.get("DATABASE_URL", "")) if is_public(host)]
    if hosts:
        return warned(
            "N001",
            f"the database is at the public address {', '.join(hosts)}",
            "keep it in a private network: no port of PostgreSQL belongs on the Internet",
        )
    return passed("N001", "the database is at no public address")


def _listener(values: Mapping[str, str]) -> Finding:
    if is_loopback(values.get("HOST", DEFAULT_HOST)):
        return passed("N002", "HTTP is served to this machine only")
    if "TLS_CERT_FILE" in values:
        return passed("N002", "HTTPS is served")
    if "TRUSTED_PROXIES" in values:
        return passed("N002", "HTTP is served to the proxies of TRUSTED_PROXIES, which speak HTTPS")
    return failed(
        "N002",
        "HOST: plain HTTP is served on loopback only",
        "set TLS_CERT_FILE and TLS_KEY_FILE, or name the proxy that speaks HTTPS in "
        "TRUSTED_PROXIES",
    )


def _encryption_key(values: Mapping[str, str]) -> Finding:
    name = "LICENSE_ENCRYPTION_KEY"
    key = values.get(name)
    if key is None and f"{name}_FILE" not in values:
        return failed("L001", f"{name}: is required in production", _GEN_KEY)
    if key is not None and _is_guessable(key.strip().lower()):
        return failed("L001", f"{name}: is an example or a pattern", _GEN_KEY)
    return passed("L001", "the license cache is encrypted")


def _is_guessable(key: str) -> bool:
    """Tell a key that somebody typed; one that is no key at all is the SDK's to refuse."""
    if len(key) != _HEX_LENGTH:
        return False
    halves = (key[: len(key) // parts] * parts for parts in (2, 4, 8, 16, 32, 64))
    return len(set(key)) < _MIN_DISTINCT_DIGITS or _SEQUENCE in key or key in halves


def _previous_key(values: Mapping[str, str]) -> Finding:
    name = "LICENSE_ENCRYPTION_KEY_PREVIOUS"
    if name in values or f"{name}_FILE" in values:
        return warned(
            "L004",
            f"{name} is still set",
            "unset it once nothing is sealed with it: a start writes the cache anew, "
            "`db-api provision SCHEMA --repair` the logins",
        )
    return passed("L004", "no earlier encryption key is in use")


def _cross_origin(values: Mapping[str, str]) -> Finding:
    origins = values.get("CORS_ORIGINS", "")
    if "*" in (origin.strip() for origin in origins.split(",")):
        return warned(
            "T004",
            "CORS_ORIGINS=* lets the pages of every site use keys that they know",
            "name the origins of your own pages",
        )
    return passed("T004", "pages of other sites get no answer unless CORS_ORIGINS names them")


def _user() -> Finding:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return warned("C002", "this runs as root", "run it as a user of its own")
    return passed("C002", "this does not run as root")
