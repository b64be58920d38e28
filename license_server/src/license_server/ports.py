"""What the service asks of the outside: a repository, a throttle, and counters for the latter."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from license_server.audit import Change
from license_server.evaluation import Found, Seat

MAILS_TO_ADDRESS: Final = "mails_to_address"
"""Throttle rule: trial and recovery mails to one address (contract, "Limits of abuse")."""

MAILS_BY_SOURCE: Final = "mails_by_source"
"""Throttle rule: trial and recovery mails that one source asks for (as above)."""

ADMIN_FAILURES: Final = "admin_failures"
"""Throttle rule: refused admin tokens of one source."""

SIGN_INS: Final = "sign_ins"
"""Throttle rule: tries to sign in to the console under one name, from wherever."""

SIGN_INS_BY_SOURCE: Final = "sign_ins_by_source"
"""Throttle rule: tries to sign in to the console from one source, under whatever name."""

OWN_CHANGES: Final = "own_changes"
"""Throttle rule: what one customer changes in the portal."""

EMAIL_MISMATCHES: Final = "email_mismatches"
"""Throttle rule: 10 wrong emails an hour for a key (contract, "Limits of abuse")."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, as the repository may know it: no key and no email in clear.

    Attributes:
        key_macs: the key under each live pepper, the current one first; 32 bytes each.
        email_indexes: the email under each live pepper, the current one first; 32 bytes each.
        product: code of the product that the client presents.
        instance_id: names the deployment.
        client_name: name of the client library.
        client_version: its version.
        app_version: version of the licensed program.
        deployment_name: what its operator calls the deployment.
        at: the server's time.
    """

    key_macs: tuple[bytes, ...] = field(repr=False)
    email_indexes: tuple[bytes, ...] = field(repr=False)
    product: str
    instance_id: str
    client_name: str
    client_version: str
    app_version: str | None
    deployment_name: str | None
    at: datetime


class LicenseRepository(Protocol):
    """Where licenses and deployments are kept. Every method raises `NotReady` on a fault of it."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect; open connections finish what they do."""

    async def require_ready(self) -> None:
        """Do nothing if the database answers, else raise `NotReady`."""

    async def find(self, visit: Visit) -> Found | None:
        """Look the key up and mark a known deployment of a sound license as seen."""

    async def register(self, license_id: str, visit: Visit, limit: int | None) -> Seat:
        """Give the visiting deployment a seat, if one of at most `limit` is free.

        Two visits at once never share the last seat.

        Raises:
            RateLimited: a limited license gets new deployments too fast.
        """

    async def forget(self, license_id: str, instance_id: str) -> None:
        """Free the deployment's seat; a blocked one stays blocked."""

    async def start_trial(
        self, license_id: str, ends_at: datetime, change: Change, now: datetime
    ) -> datetime:
        """Fix the end of a trial unless it has one, and return the end that holds.

        `change` is appended to the audit log in the same transaction.
        """

    async def advance_newest_time(self, now: datetime) -> datetime:
        """Remember the newest time seen, and return it."""


class Throttle(Protocol):
    """Counts what must not happen too often."""

    async def hit(self, rule: str, subject: str, cost: int = 1) -> None:
        """Count one event, as `cost` of them; 0 = only ask.

        Of any number at once, in any number of processes, no more pass than the rule allows.

        Raises:
            RateLimited: the rule was used up before this event.
        """


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a counter has come.

    Attributes:
        count: of the present window.
        seconds_left: until that window ends.
    """

    count: int
    seconds_left: float


class Counters(Protocol):
    """Counts in windows that begin with their first event."""

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """Count up by `cost`, in the present window or a new one; 0 = only look.

        Raises:
            NotReady: whatever keeps the counters does not answer.
        """
