"""What a program sees of its license: one immutable value, with sentences for people.

What a closed gate answers over HTTP is made of it: a problem document after RFC 9457.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from license_client._clock import Reading
from license_client._codes import MESSAGES
from license_client._decision import Decision
from license_client._json import LAST_SECOND, JsonObject, write
from license_client.errors import LicenseError
from license_client.policy import (
    State,
    Stored,
    days_left,
    is_skewed,
    renewal_grace_until,
    state_of,
    time_of,
)

PROBLEM_STATUS: Final = 403
PROBLEM_TYPE: Final = "application/problem+json"
NO_IDENTITY: Final = (
    "This machine has no lasting id, so its license is validated and never activated. "
    "Make the folder of LICENSE_CACHE_DIR writable, or set LICENSE_INSTANCE_ID."
)
_NOT_SAVED: Final = (
    "The license cache cannot be written: this process keeps its license in memory only. "
    "Make the folder of LICENSE_CACHE_DIR writable."
)
_STALE: Final = (
    "The vendor's key set is past its date and no newer one has come: let this machine reach the "
    "license server, or update the program."
)
_CONTRADICTED: Final = (
    "The license server does not know a license that it signed before. That is a fault of the "
    "server; the license goes on as it is."
)
_FOREIGN: Final = (
    "The license here belongs to another key or owner. Activate the configured one, or configure "
    "the key and email that it belongs to."
)


class LicenseStatus(NamedTuple):
    """A license as it stands now; instants are aware and in UTC.

    Attributes:
        state: see `State`.
        usable: whether the program may run.
        code: why, as a stable name; VALID whenever usable.
        message: the same as a sentence that says what to do.
        kind: "paid" or "trial".
        license_id: to name the license to the vendor.
        expires_at: end of license or trial; None for a lifetime license.
        days_left: days until then, begun ones included; 0 afterwards, None for a lifetime.
        fresh_until: the decision is good until then without asking again.
        grace_until: without the license server it ends then.
        renewal_grace_until: a paid license goes on until then without a renewal.
        last_verified_at: when the license server signed the decision.
        next_refresh_at: when `refresh_if_due` will ask again.
        warnings: codes, e.g. EXPIRING_SOON, CLOCK_SKEW.
        notices: sentences for the log: what the warnings mean, and what is wrong around here.
        entitlements: names of what the license includes.
        limits: highest number of something by its name; what is absent is unlimited.
    """

    state: State
    usable: bool
    code: str
    message: str
    kind: str | None = None
    license_id: str | None = None
    expires_at: datetime | None = None
    days_left: int | None = None
    fresh_until: datetime | None = None
    grace_until: datetime | None = None
    renewal_grace_until: datetime | None = None
    last_verified_at: datetime | None = None
    next_refresh_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()
    limits: Mapping[str, int] = MappingProxyType({})

    def has_entitlement(self, name: str) -> bool:
        """Ask whether the license is usable and includes `name`."""
        return self.usable and name in self.entitlements

    def limit(self, name: str) -> int | None:
        """Return the highest number of `name` that the license allows; None for any number."""
        return self.limits.get(name)


def problem_of(status: LicenseStatus) -> bytes:
    """Return the document that tells why a license is not usable, and what to do."""
    members: JsonObject = {
        "type": "about:blank",
        "title": "Forbidden",
        "status": PROBLEM_STATUS,
        "code": status.code,
        "detail": status.message,
    }
    return write(members).encode("utf-8")


class Remarks(NamedTuple):
    """What is known beside the decision.

    Attributes:
        problem: code that says why there is no decision, when there is none.
        is_foreign: there is one, but of another key or owner.
        is_saved: the cache file has all of it.
        has_identity: the machine has a lasting id.
        is_stale: the key set is past its date.
        is_contradicted: the server said what cannot be true.
        notices: sentences for the log about the settings.
        next_refresh: Unix seconds; None when nobody will be asked.
        failure: how the last call ended, if it brought no decision.
    """

    problem: str = "UNLICENSED"
    is_foreign: bool = False
    is_saved: bool = True
    has_identity: bool = True
    is_stale: bool = False
    is_contradicted: bool = False
    notices: tuple[str, ...] = ()
    next_refresh: int | None = None
    failure: LicenseError | None = None

    def all_warnings(self) -> Iterator[str]:
        """Yield the codes to add to those that the server signed."""
        if self.is_stale:
            yield "KEYSET_STALE"
        if self.is_contradicted:
            yield "SERVER_CONTRADICTS"

    def all_notices(self) -> Iterator[str]:
        """Yield the sentences for the log."""
        yield from self.notices
        if not self.is_saved:
            yield _NOT_SAVED
        if not self.has_identity:
            yield NO_IDENTITY
        if self.is_stale:
            yield _STALE
        if self.is_contradicted:
            yield _CONTRADICTED


def describe(stored: Stored | None, now: Reading, remarks: Remarks) -> LicenseStatus:
    """Return what a program sees of a stored decision now."""
    status, failure = _describe(stored, now, remarks), remarks.failure
    if failure is None:
        return status
    if status.usable:
        return status._replace(notices=(*status.notices, f"The last call failed: {failure}."))
    # Nobody would know from "activate one" that this is what has just been tried.
    code = failure.code if status.code == State.UNLICENSED else status.code
    return status._replace(code=code, message=f"{status.message} The last call failed: {failure}.")


def _describe(stored: Stored | None, now: Reading, remarks: Remarks) -> LicenseStatus:
    state = state_of(stored, now)
    if stored is None:
        return LicenseStatus(
            state,
            usable=False,
            code=remarks.problem,
            message=_FOREIGN if remarks.is_foreign else MESSAGES[remarks.problem],
            next_refresh_at=_moment(remarks.next_refresh),
            warnings=tuple(remarks.all_warnings()),
            notices=tuple(remarks.all_notices()),
        )
    decision, skew = stored.decision, _skew_notices(stored, now)
    lease, terms = decision.lease, decision.terms
    return LicenseStatus(
        state,
        usable=state.usable,
        code=decision.code if state.usable or not decision.valid else state.value,
        message=_message(decision, state),
        kind=terms.kind if terms else None,
        license_id=decision.license_id or None,
        expires_at=_moment(terms.expires) if terms else None,
        days_left=days_left(stored, now),
        fresh_until=_moment(lease.fresh_until) if lease else None,
        grace_until=_moment(lease.grace_until) if lease else None,
        renewal_grace_until=_moment(renewal_grace_until(decision)),
        last_verified_at=_moment(decision.issued_at),
        next_refresh_at=_moment(remarks.next_refresh),
        warnings=(*decision.warnings, *(["CLOCK_SKEW"] if skew else []), *remarks.all_warnings()),
        notices=(*skew, *remarks.all_notices()),
        entitlements=terms.entitlements if terms else (),
        limits=MappingProxyType(terms.limits if terms else {}),
    )


def _message(decision: Decision, state: State) -> str:
    lease, terms = decision.lease, decision.terms
    if lease is None or terms is None:
        return MESSAGES[decision.code]
    if state is State.GRACE_OFFLINE:
        return (
            f"The license is valid, last confirmed on {_written(decision.issued_at)}. "
            f"Without the license server it ends on {_written(lease.grace_until)}."
        )
    if state is State.GRACE_RENEWAL:
        return (
            f"The license ended on {_written(terms.expires)}. "
            f"Renew it before {_written(renewal_grace_until(decision))}, when the program stops."
        )
    if state.usable:
        return MESSAGES["VALID"]
    if state is State.OFFLINE_GRACE_EXCEEDED and decision.is_filed:
        return (
            f"The license file ended on {_written(lease.grace_until)}. "
            "Install a newer one, or connect this machine and refresh."
        )
    # Reached by the passing of time alone: a renewal may be waiting at the server.
    return f"{MESSAGES[state]} Not confirmed by the server since {_written(decision.issued_at)}."


def _skew_notices(stored: Stored, now: Reading) -> tuple[str, ...]:
    if not is_skewed(stored, now):
        return ()
    wall, signed = _written(now.wall), _written(time_of(stored, now))
    return (
        f"The clock of this machine says {wall}; by signed time it is {signed}. Set the clock.",
    )


def _written(seconds: int | None) -> str:
    moment = _moment(seconds)
    return moment.isoformat(" ", "seconds") if moment else "no date"


def _moment(seconds: int | None) -> datetime | None:
    """Return an aware instant; a sum past the year 9999 is shown as its last second."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC)
