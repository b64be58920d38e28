"""What the commands say: a status as text for people and as JSON for programs."""

from datetime import datetime
from pathlib import Path
from typing import Final

from license_client._json import Json, JsonObject, write
from license_client._keys import LicenseKey
from license_client._status import LicenseStatus
from license_client.errors import LicenseError

_KINDS: Final = {"paid": "Paid License", "trial": "Trial License"}


def masked(key: LicenseKey) -> str:
    """Return enough of a key to recognize it: 100 of its 130 random bits stay hidden."""
    symbols = key.reveal()
    return f"{symbols[:6]}...{symbols[-4:]}"


def as_json(status: LicenseStatus) -> str:
    """Return a status as one JSON object, instants in ISO 8601."""
    members = {name: _plain(value) for name, value in status._asdict().items()}
    return write({**members, "limits": dict(status.limits)})


def error_as_json(error: LicenseError) -> str:
    """Return an error in the form of a status that is not usable."""
    members: JsonObject = {"usable": False, "code": error.code, "message": str(error)}
    return write(members)


def _plain(value: object) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if isinstance(value, bool | int | str) or value is None else None


def as_text(status: LicenseStatus) -> str:
    """Return a status as lines."""
    lines = [f"{status.state}: {status.message}"]
    if status.kind:
        lines += [f"  Type:          {type_of(status)}", f"  Expires:       {expiry_of(status)}"]
    if status.license_id:
        lines += [f"  License:       {status.license_id}"]
    instants = (
        ("Last verified", status.last_verified_at),
        ("Next refresh", status.next_refresh_at),
        ("Offline until", status.grace_until),
    )
    lines += [f"  {name + ':':15}{_written(at)}" for name, at in instants if at]
    lines += [f"  Warning:       {code}" for code in status.warnings]
    return "\n".join(lines)


def activated(status: LicenseStatus, cache: Path) -> str:
    """Return what somebody reads who has just activated a license."""
    return f"""✔ License activated successfully!

License details:
  Type:    {type_of(status)}
  Expires: {expiry_of(status)}

Next steps:
  1. Give the program the same LICENSE_KEY and LICENSE_EMAIL.
  2. Start it; one that runs takes the license up by itself.

License file saved to: {cache}"""


def type_of(status: LicenseStatus) -> str:
    """Return the kind of a license, in the words of its mails."""
    return _KINDS.get(status.kind or "", "Unknown")


def expiry_of(status: LicenseStatus) -> str:
    """Return when a license ends."""
    if status.expires_at is None:
        return "Never (lifetime license)"
    return _written(status.expires_at)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
