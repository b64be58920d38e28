from collections.abc import Iterator

import pytest

from license_server import errors
from license_server.cli.groups import EXIT_STATUS
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
        errors.NotFound,
        errors.StateConflict,
        errors.NotReady,
        errors.ConfigurationError,
        errors.StartRefused,
    ],
)
def test_every_error_of_a_command_has_an_exit_status(kind: type[LicenseServerError]) -> None:
    assert kind in EXIT_STATUS


def test_a_refused_start_goes_before_the_configuration_behind_it() -> None:
    kinds = list(EXIT_STATUS)
    assert kinds.index(errors.StartRefused) < kinds.index(errors.ConfigurationError)
