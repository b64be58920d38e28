from collections.abc import Iterator

import pytest

from license_server import errors
from license_server.cli.groups import EXIT_STATUS, exit_status
from license_server.codes import MESSAGES, Code
from license_server.errors import LicenseServerError


def below(kind: type[LicenseServerError]) -> Iterator[type[LicenseServerError]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from below(sub)


def test_every_code_has_a_sentence_for_people() -> None:
    assert set(MESSAGES) == set(Code)
    assert all(message.endswith(".") for message in MESSAGES.values())


def test_every_error_stands_in_the_tree_at_the_top_of_its_module() -> None:
    named = {
        kind.__name__
        for kind in below(LicenseServerError)
        if kind.__module__ == "license_server.errors"
    }
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in named)


@pytest.mark.parametrize(
    "kind",
    [
        errors.InvalidField,
        errors.KeyMalformed,
        errors.CredentialMissing,
        errors.CredentialInvalid,
        errors.RoleForbidden,
        errors.NotFound,
        errors.StateConflict,
        errors.IdempotencyConflict,
        errors.EtagMismatch,
        errors.RateLimited,
        errors.NotReady,
        errors.SigningUnavailable,
    ],
)
def test_every_error_of_a_command_has_an_exit_status(kind: type[LicenseServerError]) -> None:
    assert kind.code in EXIT_STATUS


def test_what_an_operator_has_to_mend_has_exit_statuses_of_its_own() -> None:
    assert exit_status(errors.ConfigurationError("")) == 6
    assert exit_status(errors.StartRefused("")) == 78
    assert exit_status(LicenseServerError("")) == 1
