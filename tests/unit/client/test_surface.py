"""The public surface, held so that forgetting something fails."""

import inspect
import re
from pathlib import Path

import license_client
from license_client import LicenseError, State, errors
from license_client._codes import DENIALS, MESSAGES, exit_status

PACKAGE = Path(license_client.__file__).parent
README = Path(__file__).parents[3] / "license_client" / "README.md"
PUBLIC = [
    "AsyncLicenseClient",
    "AsyncLicenseWatch",
    "CacheUnreadableError",
    "ConfigurationError",
    "DecisionRejectedError",
    "EmailMalformedError",
    "KeyMalformedError",
    "KeySetRejectedError",
    "LicenseClient",
    "LicenseError",
    "LicenseStatus",
    "LicenseWatch",
    "OfflineError",
    "RejectedError",
    "State",
    "__version__",
    "require_license",
]
METHODS = [
    "activate",
    "check",
    "deactivate",
    "from_env",
    "install",
    "refresh_if_due",
    "request_trial",
    "start",
    "status",
    "validate",
    "watch",
]


def test_what_is_exported_is_what_was_promised() -> None:
    assert license_client.__all__ == PUBLIC
    assert all(hasattr(license_client, name) for name in PUBLIC)


def test_both_clients_have_the_same_methods() -> None:
    for client in (license_client.LicenseClient, license_client.AsyncLicenseClient):
        found = [name for name, _ in inspect.getmembers(client) if not name.startswith("_")]
        assert found == METHODS


def test_every_error_is_exported_and_drawn_in_the_tree() -> None:
    defined = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert set(defined) - {"ClassVar"} <= set(PUBLIC)
    assert all(name in (errors.__doc__ or "") for name in defined)


def test_every_error_ends_a_command_with_a_status_of_the_list() -> None:
    def codes(error: type[LicenseError]) -> set[str]:
        return {error.code}.union(*map(codes, error.__subclasses__()))

    assert {code: exit_status(code) for code in codes(LicenseError) - {"LICENSE_ERROR"}} == {
        "CONFIG_INVALID": 6,
        "KEY_MALFORMED": 6,
        "INVALID_FIELD": 6,
        "CACHE_UNREADABLE": 7,
        "OFFLINE": 5,
        "DECISION_REJECTED": 7,
        "KEYSET_REJECTED": 7,
    }


def test_every_state_that_is_not_usable_has_a_message_and_a_status() -> None:
    closed = [state for state in State if not state.usable]
    assert set(DENIALS) <= {state.value for state in closed}
    assert all(MESSAGES[state] for state in closed)
    assert all(exit_status(state) in (3, 4, 5) for state in closed)


def test_the_readme_names_every_state_and_setting() -> None:
    readme = README.read_text()
    settings = set(re.findall(r'"(LICENSE_[A-Z_]+)"', (PACKAGE / "_environment.py").read_text()))
    for name in (*settings, *(state.value for state in State)):
        assert f"`{name}`" in readme, name


def test_verification_cannot_be_switched_off() -> None:
    sources = "".join(file.read_text() for file in PACKAGE.glob("*.py"))
    assert not re.search(r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=", sources)


def test_only_one_module_reads_a_clock_and_one_knows_httpx() -> None:
    def modules_with(pattern: str) -> set[str]:
        found = (file for file in PACKAGE.glob("*.py") if re.search(pattern, file.read_text()))
        return {file.name for file in found}

    assert modules_with(r"(?m)^\s*import time$|datetime\.now|\btime\.time\(") == {"_clock.py"}
    assert modules_with(r"(?m)^import httpx$") == {"_exchange.py"}
    assert modules_with(r"(?m)^\s*assert ") == set()
