"""How every command ends when something is wrong: one line for each mistake, a stable status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import click

from db_api.errors import (
    DataApiError,
    LicenseClosedError,
    LicenseRefusedError,
    MigrationNeededError,
    NotReadyError,
)
from db_api.settings import SettingsError

FAILED: Final = 1
SETTINGS: Final = 6
NO_LICENSE: Final = 78  # EX_CONFIG of sysexits.h


@contextmanager
def reported() -> Iterator[None]:
    """Turn this package's errors into lines on stderr and an exit status; never a traceback."""
    try:
        yield
    except SettingsError as error:
        end(SETTINGS, *error.mistakes)
    except (LicenseClosedError, LicenseRefusedError) as error:
        end(NO_LICENSE, f"license: {error.details} {error.message}")
    except MigrationNeededError as error:
        end(SETTINGS, _sentence(error))
    except NotReadyError as error:
        end(FAILED, f"{_sentence(error)} {_reason(error.__cause__)}")
    except DataApiError as error:
        end(FAILED, _sentence(error))


def _sentence(error: DataApiError) -> str:
    return f"db-api: {error.message} {error.hint or ''}".rstrip()


def _reason(cause: BaseException | None) -> str:
    """Say in the system's or PostgreSQL's words why the database does not answer, else nothing."""
    origin = getattr(cause, "orig", None) or cause
    is_plain = isinstance(origin, OSError) or hasattr(origin, "sqlstate")
    return f"({origin})" if is_plain else ""


def end(status: int, *lines: str) -> NoReturn:
    """Write lines on stderr, each one line whatever it holds, and exit."""
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    sys.exit(status)
