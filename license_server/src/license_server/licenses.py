"""Licenses: what they are, and how they may change.

`expired` is a matter of time and is computed, never stored. What a license is worth to a request
is judged in `evaluation`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from license_server.errors import StateConflict
from license_server.license_keys import random_symbols

TRIAL_STARTS_WITHIN: Final = timedelta(days=30)
"""A trial that nobody started starts by itself this long after its issue (contract)."""

LONGEST: Final = timedelta(days=36_525)
"""A century: what is meant to last longer is meant for life."""

_ID_SYMBOLS: Final = 26


class Kind(StrEnum):
    """How a license came about."""

    PAID = "paid"
    TRIAL = "trial"


class Standing(StrEnum):
    """What the vendor has decided about a license; the only stored status."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Status(StrEnum):
    """How a license stands at one instant: the claim `st`."""

    ACTIVE = "active"
    TRIAL = "trial"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Change(StrEnum):
    """What a vendor can do to a license's standing."""

    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"


_TRANSITIONS: Final = {
    (Standing.ACTIVE, Change.SUSPEND): Standing.SUSPENDED,
    (Standing.SUSPENDED, Change.REINSTATE): Standing.ACTIVE,
    (Standing.ACTIVE, Change.REVOKE): Standing.REVOKED,
    (Standing.SUSPENDED, Change.REVOKE): Standing.REVOKED,
}


@dataclass(frozen=True, slots=True)
class License:
    """One license, without its key and its owner.

    Attributes:
        license_id: `lic_` and 26 lower-case Crockford symbols (130 random bits).
        product: code of its product.
        kind: paid or trial.
        standing: what the vendor decided.
        issued_at: when it was made.
        starts_at: its first instant.
        expires_at: its end; None = lifetime, or a trial that has not started.
        trial: length of a trial, fixed at issue; None if paid.
        renewal_grace: how long it works past `expires_at`, fixed at issue.
        entitlements: names of features granted beside the product's, sorted.
    """

    license_id: str
    product: str
    kind: Kind
    standing: Standing
    issued_at: datetime
    starts_at: datetime
    expires_at: datetime | None
    trial: timedelta | None
    renewal_grace: timedelta
    entitlements: tuple[str, ...] = ()

    def is_waiting_trial(self) -> bool:
        """Tell whether it is a trial that no success has started yet."""
        return self.trial is not None and self.expires_at is None

    def ends_at(self, now: datetime) -> datetime | None:
        """Return the end as it stands at `now`: that of an unstarted trial moves along."""
        if self.trial is None or self.expires_at is not None:
            return self.expires_at
        return self.trial_start(now) + self.trial

    def trial_start(self, now: datetime) -> datetime:
        """Return when a trial starts whose first success is at `now`."""
        return min(max(now, self.starts_at), self.issued_at + TRIAL_STARTS_WITHIN)

    def status(self, now: datetime) -> Status:
        """Return how it stands at `now`; a license in its renewal grace is not expired yet."""
        if self.standing is not Standing.ACTIVE:
            return Status(self.standing.value)
        end = self.ends_at(now)
        if end is not None and now >= end + self.renewal_grace:
            return Status.EXPIRED
        return Status.TRIAL if self.kind is Kind.TRIAL else Status.ACTIVE

    def after(self, change: Change) -> "License":
        """Return it as `change` leaves it.

        Raises:
            StateConflict: the change does not fit its standing.
        """
        standing = _TRANSITIONS.get((self.standing, change))
        if standing is None:
            raise StateConflict(f"cannot {change} a license that is {self.standing}")
        return replace(self, standing=standing)

    def renewed(self, until: datetime | None, now: datetime) -> "License":
        """Return it with a later end; None = for life.

        Raises:
            StateConflict: it is revoked, a trial or for life, or this would be no later end.
        """
        if self.standing is Standing.REVOKED:
            raise StateConflict("cannot renew a license that is revoked: issue a new one")
        if self.kind is Kind.TRIAL:
            raise StateConflict("cannot renew a trial: convert it to a paid license")
        if self.expires_at is None:
            raise StateConflict("cannot renew a license for life: it has no end")
        if until is not None and until <= max(self.expires_at, now):
            raise StateConflict("a renewal must end after the present end, and after now")
        if until is not None and until > now + LONGEST:
            raise StateConflict(f"a renewal must end within {LONGEST.days} days")
        return replace(self, expires_at=until)

    def converted(
        self, until: datetime | None, renewal_grace: timedelta, now: datetime
    ) -> "License":
        """Return a trial as the paid license that it becomes; None = for life.

        Raises:
            StateConflict: it is revoked or no trial, or it would end before now.
        """
        if self.standing is Standing.REVOKED:
            raise StateConflict("cannot convert a trial that is revoked: issue a license")
        if self.kind is not Kind.TRIAL:
            raise StateConflict("cannot convert a paid license: only a trial becomes paid")
        if until is not None and not now < until <= now + LONGEST:
            raise StateConflict(f"its end must come after now, within {LONGEST.days} days")
        return replace(
            self, kind=Kind.PAID, expires_at=until, trial=None, renewal_grace=renewal_grace
        )


def new_license_id() -> str:
    """Draw an id of 130 random bits, which tells nothing of how many licenses there are."""
    return f"lic_{random_symbols(_ID_SYMBOLS).lower()}"
