"""The names of the software that a document may tell its reader: settings, findings, metrics."""

import re
from pathlib import Path
from typing import Final

from db_api.production_rules import SECRETS
from db_api.settings import ProvisionSettings
from db_api.settings import Settings as DataApiSettings
from license_client._environment import _VARIABLES
from license_server.cli.target import TOKEN_VARIABLE
from license_server.settings import _SECRETS as SERVER_SECRETS
from license_server.settings import Settings as ServerSettings

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
_SETTING: Final = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


def _server_settings() -> set[str]:
    fields = {name.upper() for name in ServerSettings.model_fields} - {"FOLDER"}
    return fields | {f"{name.upper()}_FILE" for name in SERVER_SECRETS} | {TOKEN_VARIABLE}


def _data_api_settings() -> set[str]:
    fields = {*DataApiSettings.model_fields, *ProvisionSettings.model_fields}
    secrets = {f"{name}_FILE" for name in (*SECRETS, "PROVISION_DATABASE_URL")}
    return {name.upper() for name in fields} | set(_VARIABLES.values()) | secrets


SETTINGS: Final = {"license-server": _server_settings(), "db-api": _data_api_settings()}
"""The variables that each program reads, those that name a secret's file among them."""


def settings_in(text: str) -> set[str]:
    """Return what looks like a setting: words in capitals with an underscore."""
    return set(_SETTING.findall(text))
