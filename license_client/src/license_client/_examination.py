"""Looks over what a client stands on: settings, trust, cache, clock, the way to the server.

Each finding says what to do. Nothing is changed: the answer of the license server is judged and
forgotten.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from license_client._clock import Clock
from license_client._core import Core
from license_client._path_to_server import examine_path
from license_client._platform import is_private
from license_client._report import Finding, Level, failed, passed, warned
from license_client._settings import Settings
from license_client._snapshot import take_snapshot
from license_client._store import FILE_NAME, Store
from license_client.errors import LicenseError, OfflineError
from license_client.policy import is_skewed


def examine(settings: Settings, core: Core, clock: Clock) -> Iterator[Finding]:
    """Yield findings in the order in which one depends on the other."""
    yield _trust(settings, clock)
    yield _credentials(settings)
    yield _encryption(settings)
    yield _folder(settings.cache_dir)
    yield from _cache(settings, clock)
    is_reached = True
    if settings.server_url is not None:
        for finding in examine_path(settings, clock.read()):
            is_reached = is_reached and finding.level is not Level.FAIL
            yield finding
    if is_reached:
        yield _answer(settings, core)


def _trust(settings: Settings, clock: Clock) -> Finding:
    anchor = settings.anchor.current
    text = f"trust.json is epoch {anchor.epoch} of {anchor.issuer}"
    if clock.read().wall > anchor.expires:
        return warned("T001", f"{text}, past its date", "update the program, or refresh online")
    return passed("T001", text)


def _credentials(settings: Settings) -> Finding:
    if settings.credentials is None:
        return failed("S001", "no license is configured", "set LICENSE_KEY and LICENSE_EMAIL")
    return passed("S001", "license key and email have the right form")


def _encryption(settings: Settings) -> Finding:
    if settings.keys.current is None:
        return warned("S002", "the cache is not encrypted", "set LICENSE_ENCRYPTION_KEY")
    if settings.keys.previous is not None:
        return warned(
            "S002",
            "LICENSE_ENCRYPTION_KEY_PREVIOUS is still set",
            "run `license-client cache rekey`, then unset it",
        )
    return passed("S002", "the cache is encrypted")


def _folder(folder: Path) -> Finding:
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return failed(
            "C001",
            f"{nearest} cannot be written: the license would live in memory only",
            "make it writable for this user, or set LICENSE_CACHE_DIR",
        )
    return passed("C001", f"{folder} can be written")


def _cache(settings: Settings, clock: Clock) -> Iterator[Finding]:
    path = settings.cache_dir / FILE_NAME
    if not path.exists():
        yield warned("C002", "there is no cache yet", "run `license-client activate`")
        return
    if not is_private(path):
        yield warned(
            "C003",
            f"{path} is open to other users, or another user's",
            f"run `chmod 600 {path}`, and `chown` it to the user of the program",
        )
    else:
        yield passed("C003", f"{path} can be read by this user alone")
    now = clock.read()
    snapshot = take_snapshot(settings, Store(settings.cache_dir, settings.keys).load(), now)
    if snapshot.stored is None:
        yield failed(
            "C002",
            f"the cache holds no decision for this license: {snapshot.problem}",
            "check LICENSE_ENCRYPTION_KEY, LICENSE_KEY and LICENSE_EMAIL, then refresh",
        )
        return
    signed = datetime.fromtimestamp(snapshot.stored.decision.issued_at, UTC)
    yield passed("C002", f"the cache holds a decision signed on {signed:%Y-%m-%d %H:%M} UTC")
    if is_skewed(snapshot.stored, now):
        yield warned("W001", "the clock is off by more than 5 minutes of signed time", "set it")
    else:
        yield passed("W001", "the clock agrees with signed time")


def _answer(settings: Settings, core: Core) -> Finding:
    if settings.server_url is None:
        return warned(
            "V001",
            "no license server is configured: only the cache and license files count",
            "set LICENSE_SERVER_URL, unless this machine never goes online",
        )
    try:
        status = core.probe()
    except OfflineError as error:
        return failed("V001", str(error), "see what answers at LICENSE_SERVER_URL, or a proxy")
    except LicenseError as error:
        return failed("V001", f"{error.code}: {error}", "check LICENSE_SERVER_URL and trust.json")
    if not status.usable:
        return failed("V001", f"the server signed a no: {status.code}", status.message)
    return passed("V001", "the server signed a yes for this license")
