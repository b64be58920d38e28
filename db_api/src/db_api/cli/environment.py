"""The commands' way to the environment, and to the database without the rest of the settings."""

import os
from collections.abc import Mapping

from db_api.settings import (
    LoginSettings,
    ProvisionSettings,
    read_database_settings,
    read_login_settings,
    read_provision_settings,
)


def environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return dict(os.environ)  # noqa: TID251 - the one place where it is read


def database_url() -> str:
    """Return DATABASE_URL alone: commands on the database need no other setting.

    Raises:
        SettingsError: it is missing or no PostgreSQL URL.
    """
    return read_database_settings(environment()).database_url.get_secret_value()


def login_settings() -> LoginSettings:
    """Return what commands on the logins of schemas need.

    Raises:
        SettingsError: something is missing or wrong.
    """
    return read_login_settings(environment())


def provision_settings() -> ProvisionSettings:
    """Return what commands that make login roles need.

    Raises:
        SettingsError: something is missing or wrong.
    """
    return read_provision_settings(environment())
