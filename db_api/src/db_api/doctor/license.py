"""The license as the cache has it, and the way to the license server; nothing is asked."""

from collections.abc import Iterator, Mapping

from db_api.findings import Finding, failed, passed, warned
from db_api.license_gate import gate_from_environment
from db_api.settings import SettingsError


async def examine_license(environ: Mapping[str, str]) -> list[Finding]:
    """Look at the settings of the license, and at its cache."""
    try:
        gate = gate_from_environment(environ)
    except SettingsError as error:
        return [failed("L002", str(error), "set these as `license_client/README.md` says")]
    view = await gate.peek()
    findings = list(_way(environ))
    if not view.valid:
        remedy = "see `db-api activate --help`; a start says what the license server answers"
        findings.append(failed("L003", f"the license is not usable: {view.message}", remedy))
    elif view.status == "grace_period" or view.warnings:
        words = ", ".join(view.warnings) or view.message
        remedy = "let this machine reach the license server, or ask the vendor"
        findings.append(warned("L003", f"the license is usable and warns: {words}", remedy))
    else:
        findings.append(passed("L003", "the license is usable"))
    return findings


def _way(environ: Mapping[str, str]) -> Iterator[Finding]:
    if not environ.get("LICENSE_SERVER_URL"):
        yield warned(
            "L002",
            "LICENSE_SERVER_URL is not set: the license ends when its cache does",
            "set it, or install license files in time",
        )
    elif environ.get("LICENSE_ALLOW_INSECURE_HTTP", "0") not in {"", "0", "false"}:
        yield warned(
            "L002",
            "LICENSE_ALLOW_INSECURE_HTTP lets key and email travel in the clear",
            "use https and unset it",
        )
    else:
        yield passed("L002", "the license server is reached by HTTPS, or on this machine")
