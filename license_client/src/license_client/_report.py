"""What the commands say, as text for people and as JSON for programs: a status, a finding."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from license_client._credentials import LicenseKey
from license_client._json import Json, JsonObject, write
from license_client._snapshot import Snapshot
from license_client._status import LicenseStatus
from license_client._store import Content
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


def payload_as_text(payload: bytes, hidden: LicenseKey | None) -> str:
    """Return a request's body, indented, with the key masked if it is given as `hidden`."""
    members = json.loads(payload)
    if hidden is not None:
        members["license_key"] = masked(hidden)
    return json.dumps(members, indent=2, ensure_ascii=False)


def cache_members(path: Path, content: Content, snapshot: Snapshot) -> JsonObject:
    """Return what a cache file holds, instants in ISO 8601; the decision only if it is ours."""
    document, stored = content.document, snapshot.stored
    lease = stored.decision.lease if stored else None
    high_water = document.high_water if document else None
    return {
        "path": str(path),
        "exists": content.stamp is not None,
        "problem": content.problem.code if content.problem else None,
        "sealed_with_current_key": document is not None and not content.outdated,
        "instance_id": document.instance_id if document else None,
        "keyset_epoch": snapshot.trust.current.epoch,
        "decision": stored.decision.code if stored else None,
        "is_of_another_owner": snapshot.foreign,
        "license_id": stored.decision.license_id or None if stored else None,
        "signed_at": _iso(stored.decision.issued_at if stored else None),
        "fresh_until": _iso(lease.fresh_until if lease else None),
        "grace_until": _iso(lease.grace_until if lease else None),
        "highest_time": _iso(high_water.at if high_water else None),
    }


def cache_as_json(members: JsonObject) -> str:
    """Return what a cache file holds as one JSON object."""
    return json.dumps(members, indent=2)


def cache_as_text(members: JsonObject) -> str:
    """Return what a cache file holds as lines."""
    return "\n".join(f"{name.replace('_', ' '):24}{_word(members[name])}" for name in members)


def _word(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


class Level(StrEnum):
    """How bad it is."""

    PASS = "PASS"  # noqa: S105 - no password
    WARN = "WARN"
    FAIL = "FAIL"


class Finding(NamedTuple):
    """One thing that `license-client doctor` looked at.

    Attributes:
        id: stable, for scripts and for the README.
        level: how bad it is.
        text: what was found; never a secret.
        remedy: what to do; "" if all is well.
    """

    id: str
    level: Level
    text: str
    remedy: str = ""


def passed(id_: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(id_, Level.PASS, text)


def warned(id_: str, text: str, remedy: str) -> Finding:
    """Return what should be mended."""
    return Finding(id_, Level.WARN, text, remedy)


def failed(id_: str, text: str, remedy: str) -> Finding:
    """Return what keeps the license from working."""
    return Finding(id_, Level.FAIL, text, remedy)


def findings_as_json(findings: Sequence[Finding]) -> str:
    """Return what a doctor found as one JSON array."""
    return json.dumps([finding._asdict() for finding in findings], indent=2)


def finding_as_text(finding: Finding) -> str:
    """Return one finding as a line, and what to do as another."""
    line = f"{finding.level} {finding.id}  {finding.text}"
    return f"{line}\n           → {finding.remedy}" if finding.remedy else line


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
