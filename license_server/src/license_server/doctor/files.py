"""What is on this machine: files, keys, TLS, settings; it asks nobody and is fast."""

import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

from cryptography import x509

from license_server.backups import last_backup
from license_server.errors import ConfigurationError
from license_server.findings import Finding, Level, failed, passed, warned
from license_server.key_files import (
    ROOT_KEY,
    load_checkpoint_signer,
    load_issuer,
    load_keysets,
    load_peppers,
    load_sealer,
    load_signing_key,
)
from license_server.keyset_history import KeySetHistory
from license_server.keyset_steps import SOON
from license_server.settings import IN_DATABASE, Settings, is_loopback

CERTIFICATE_SOON: Final = timedelta(days=21)
CHECKPOINT_AGE: Final = timedelta(days=2)
BACKUP_AGE: Final = timedelta(days=7)
_SPARE_BYTES: Final = 500 * 2**20
_UNSAFE_MODES: Final = {"", "disable", "allow", "prefer"}


def examine_files(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at what is on this machine; `serve` refuses to start on what this fails."""
    yield from _keys(settings, now)
    yield _secret("F001", "the peppers", lambda: load_peppers(settings.peppers_file))
    yield _secret("F002", "the sealing key", lambda: load_sealer(settings.sealing_key_file))
    yield from _certificate(settings, now)
    yield _database_tls(settings)
    yield _storage_way(settings)
    yield _root_key(settings)
    yield _mail(settings)
    yield _public_url(settings)
    yield _user()
    yield _disk(settings)
    yield _checkpoints(settings, now)
    yield _backups(settings, now)


def _keys(settings: Settings, now: datetime) -> Iterator[Finding]:
    remedy = "restore the file of `init`, or see KEYS.md"
    try:
        keysets = load_keysets(settings.keyset_file)
        load_issuer(settings.signing_key_file, keysets)
        kid = load_signing_key(settings.signing_key_file).kid
    except ConfigurationError as error:
        yield failed("K001", str(error), remedy)
        return
    yield passed("K001", f"the newest key set lists the signing key {kid} as active")
    newest = keysets.newest.content
    listed = newest.published(kid)
    ends = datetime.fromtimestamp(listed.not_after if listed else 0, UTC)
    yield _term("K002", f"the signing key {kid}", ends, SOON, now, "replace it: see KEYS.md")
    expires = datetime.fromtimestamp(newest.expires, UTC)
    remedy = "run `license-server keyset draft`, sign and install it: see KEYS.md"
    finding = _term("K003", f"key set {newest.epoch}", expires, SOON, now, remedy)
    # past its end clients only warn (contract, "Key set")
    yield (
        finding if finding.level is not Level.FAIL else warned("K003", finding.text, finding.remedy)
    )
    yield _checkpoint_key(settings, keysets)


def _checkpoint_key(settings: Settings, keysets: KeySetHistory) -> Finding:
    try:
        load_checkpoint_signer(settings.signing_key_file, keysets)
    except ConfigurationError as error:
        return failed("K004", str(error), "replace the signing key: `license-server keys new`")
    return passed("K004", "the signing key may sign audit checkpoints")


def _term(
    id_: str, what: str, ends: datetime, soon: timedelta, now: datetime, remedy: str
) -> Finding:
    if ends <= now:
        return failed(id_, f"{what} ended on {ends:%Y-%m-%d}", remedy)
    if ends - now < soon:
        return warned(id_, f"{what} ends on {ends:%Y-%m-%d}", remedy)
    return passed(id_, f"{what} is good until {ends:%Y-%m-%d}")


def _secret(id_: str, what: str, load: Callable[[], object]) -> Finding:
    try:
        load()
    except ConfigurationError as error:
        return failed(id_, str(error), "restore the file of `init`, mode 0600")
    return passed(id_, f"{what} can be read by this user alone")


def _certificate(settings: Settings, now: datetime) -> Iterator[Finding]:
    cert, key = settings.tls_cert_file, settings.tls_key_file
    if cert is None or key is None:
        yield passed("T001", "plain HTTP, for this machine alone")
        return
    remedy = "put a PEM certificate chain and its own key in TLS_CERT_FILE and TLS_KEY_FILE"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
        ends = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        yield failed("T001", f"the TLS files cannot be used: {type(error).__name__}", remedy)
        return
    yield passed("T001", "the TLS certificate and its key belong together")
    yield _term("T002", "the TLS certificate", ends, CERTIFICATE_SOON, now, "renew it")
    if key.stat().st_mode & 0o077:
        yield warned("T003", f"the TLS key {key} is open to other users", f"run `chmod 600 {key}`")


def _database_tls(settings: Settings) -> Finding:
    parts = urlsplit(settings.database_url.get_secret_value())
    host = parts.hostname or ""
    if parts.scheme == "sqlite" or not host or is_loopback(host):
        return passed("D001", "the database is on this machine")
    mode = parse_qs(parts.query).get("sslmode", [""])[-1]
    if mode in _UNSAFE_MODES:
        return failed(
            "D001",
            "the way to the database may be in clear",
            "set sslmode=verify-full in DATABASE_URL",
        )
    if mode == "require":
        return warned(
            "D001",
            "sslmode=require does not verify the database server",
            "set sslmode=verify-full and sslrootcert in DATABASE_URL",
        )
    return passed("D001", "the database server is verified by TLS")


def _storage_way(settings: Settings) -> Finding:
    uri = settings.rate_limit_storage_uri
    if uri is None:
        return passed("L001", "this server counts rate limits in its own memory")
    parts = urlsplit(uri.get_secret_value())
    if uri.get_secret_value() == IN_DATABASE or parts.scheme == "rediss":
        return passed("L001", "the way to the storage of rate limits is as safe as it can be")
    if is_loopback(parts.hostname or ""):
        return passed("L001", "the storage of rate limits is on this machine")
    return warned(
        "L001",
        "the way to the storage of rate limits is in clear, its password too",
        "set rediss://… in RATE_LIMIT_STORAGE_URI",
    )


def _root_key(settings: Settings) -> Finding:
    if (settings.folder / ROOT_KEY).exists():
        return warned(
            "K005",
            f"{ROOT_KEY} is in the server's folder",
            "take it offline: whoever steals it can make every client trust other keys",
        )
    return passed("K005", "no root key is in the server's folder")


def _mail(settings: Settings) -> Finding:
    if settings.smtp_host is None:
        return warned("M001", f"mails go into {settings.mail_folder}", "set SMTP_HOST to send them")
    return passed("M001", "mails go to a mail server")


def _public_url(settings: Settings) -> Finding:
    if settings.public_url.startswith("https://"):
        return passed("P001", "links in mails are https")
    return warned("P001", "links in mails lead to this machine", "set PUBLIC_URL to https://…")


def _user() -> Finding:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return warned("U001", "this runs as root", "run it as a user of its own")
    return passed("U001", "this does not run as root")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.folder).free
    if free < _SPARE_BYTES:
        return warned("B001", f"{free // 2**20} MiB are free on the disk", "make room")
    return passed("B001", "there is room on the disk")


def _checkpoints(settings: Settings, now: datetime) -> Finding:
    path = settings.audit_checkpoint_file
    remedy = "run `license-server audit checkpoint`, and a worker, which does so daily"
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return warned("A001", "there is no checkpoint of the audit log", remedy)
    if now - written > CHECKPOINT_AGE:
        return warned("A001", f"the last checkpoint is of {written:%Y-%m-%d}", remedy)
    return passed("A001", "there is a recent checkpoint of the audit log")


def _backups(settings: Settings, now: datetime) -> Finding:
    remedy = (
        "run `license-server backup create` daily, with pg_dump on PostgreSQL; keep it elsewhere"
    )
    made = last_backup(settings)
    if made is None:
        return warned("R001", "no backup was made from this folder", remedy)
    if now - made > BACKUP_AGE:
        return warned("R001", f"the last backup is of {made:%Y-%m-%d}", remedy)
    return passed("R001", "there is a recent backup")
