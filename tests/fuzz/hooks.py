"""What Schemathesis must know of our APIs: texts of our own forms, and rules beyond schemas.

It is loaded into Schemathesis' own process; the variables `FUZZ_…` say what there is.
"""

import json
import os
from ipaddress import IPv4Address
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

from license_server import base64url

_NUMBERS_OF_REQUESTS = count()
_FIRST_ADDRESS = IPv4Address("10.0.0.1")
_KEYS_WITH_ROOM = 240  # of the 255 characters that a key may have
_NUMBERS = st.integers(0, 999)  # cheap to draw: what these texts may be is for unit tests
_FORMS = {
    "email": st.just(os.environ["FUZZ_EMAIL"]) | _NUMBERS.map("buyer+{}@Example.com".format),
    "hostname": _NUMBERS.map("site{}.example.com".format),
    "license-key": st.just(os.environ["FUZZ_KEY"]),
    "webhook-url": _NUMBERS.map("https://hooks{}.example.com/".format),
    "printable": _NUMBERS.map("Größe № {}".format),
    "cursor": _NUMBERS.map(lambda number: base64url.encode(json.dumps([number, "x"]).encode())),
}
for form, strategy in _FORMS.items():
    schemathesis.openapi.format(form, strategy)


_BEYOND_SCHEMAS = {
    "email": "its form: README.md of the contract",
    "domain": "as that of an email",
    "cursor": "what a page ended with",
    "license_key": "its checksum, and whose key it is",
    "url": "a public host",
    "name": "printable characters, by Unicode's table",
    "deployment_name": "printable characters, by Unicode's table",
    "lease_seconds": "no shorter than refresh_seconds",
    "offline_grace_seconds": "no shorter than lease_seconds",
    "entitlements": "bytes of all names together, those of limits too",
    "expires_at": "after now and the start, within a century; not for a trial",
    "starts_at": "within a century",
    "Idempotency-Key": "needed for an import that is no dry run",
    "body": "expires_at or lasts_seconds, not both",
}
"""Members whose refusal no schema can foretell, and what they are refused for."""
_STRICTER_CODES = {
    "KEY_MALFORMED": "a checksum",
    "MALFORMED_JSON": "1.0 is an integer to JSON Schema and not to the contract",
    "ETAG_MISMATCH": "a matter of state, as 404 and 409, which the check knows",
}
"""Codes of whole requests that no schema can foretell, and why."""
_INSTANTS = "an instant from 1970 to 9999 is expected"
"""What is said of any instant that others can write and we cannot keep."""


@schemathesis.hook
def filter_failure(
    _context: HookContext,
    failure: Failure,
    case: Case[Any],  # noqa: ARG001 - Schemathesis passes it by name
    response: Response,
) -> bool:
    """Let a refusal pass that is for a rule beyond schemas; everything else is a finding."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    if problem["code"] in _STRICTER_CODES:
        return False
    errors = problem.get("errors", ())
    return not errors or not all(_is_beyond(**error) for error in errors)


def _is_beyond(field: str, message: str) -> bool:
    is_line = field.startswith("line ")  # of an import, which is a text to its document
    return is_line or field in _BEYOND_SCHEMAS or message == _INSTANTS


@schemathesis.auth()
class OwnerToken:
    """The credential of requests that are meant to have one; the public API needs none."""

    def get(self, _case: Case[Any], _context: AuthContext) -> str:
        return os.environ["FUZZ_TOKEN"]

    def set(self, case: Case[Any], token: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001 - Schemathesis passes it by name
    """Make each request one of its own: by its address, and by its Idempotency-Key if it has one.

    A key that came before is answered with what was made then, and may be gone by now. The token
    in use is revoked by nobody.
    """
    number = next(_NUMBERS_OF_REQUESTS)
    case.headers["X-Forwarded-For"] = str(_FIRST_ADDRESS + number)
    key = case.headers.get("Idempotency-Key", "")
    if 0 < len(key) <= _KEYS_WITH_ROOM:
        case.headers["Idempotency-Key"] = f"{key}.{number}"
    if case.path_parameters.get("token_id") == os.environ["FUZZ_TOKEN_ID"]:
        case.path_parameters["token_id"] = "tok_another"
