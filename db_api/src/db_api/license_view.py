"""What a license is, for those who may not import the SDK."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LicenseView:
    """What the gate knows of the license.

    Attributes:
        state: of the contract's state machine.
        status: `active`, `trial`, `grace_period`, `expired` or `invalid`.
        type: `paid`, `trial`, or None while unknown.
        code: of the contract: why it is valid or not.
        expires_at: end of a paid license or a trial; None for a lifetime.
        grace_ends_at: while in grace, when the gate closes.
    """

    valid: bool
    state: str
    status: str
    type: str | None
    code: str
    message: str
    expires_at: datetime | None = None
    grace_ends_at: datetime | None = None
    last_verified_at: datetime | None = None
    next_refresh_at: datetime | None = None
    warnings: tuple[str, ...] = ()


def invalid_view(code: str, message: str) -> LicenseView:
    """Show that there is no license, and why."""
    return LicenseView(
        valid=False, state=code, status="invalid", type=None, code=code, message=message
    )
