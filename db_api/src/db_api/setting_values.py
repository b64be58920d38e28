"""The forms of settings: what each kind may be, and what an error says of other values."""

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from db_api.cors import is_origin
from db_api.identifiers import InvalidNameError, SqlName, quote


class AppEnv(StrEnum):
    """How strict the start is."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


class AggregatesFor(StrEnum):
    """Whose keys may use aggregate functions."""

    NOBODY = "nobody"
    SERVICE = "service"
    EVERYONE = "everyone"


class GateMode(StrEnum):
    """What a start without a usable license does."""

    EXIT = "exit"
    LOCK = "lock"


class LogLevel(StrEnum):
    """From which level on events are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _read_networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(","))
    except ValueError:
        raise ValueError("is not a list of networks such as 10.0.0.0/8,192.168.1.7") from None


def _read_origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = tuple(part.strip() for part in value.split(","))
    if not all(map(is_origin, origins)):
        raise ValueError("is not a list of origins such as https://shop.example, without a path")
    return origins


def _read_schemas(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(quote(name) for part in value.split(",") if (name := part.strip()))
    except InvalidNameError:
        raise ValueError("is not a list of schemas such as public,extensions") from None


def _require_postgresql(value: SecretStr) -> SecretStr:
    try:
        scheme = urlsplit(value.get_secret_value()).scheme
    except ValueError:  # brackets that hold no IPv6 address
        scheme = ""
    if scheme not in {"postgresql", "postgres"}:
        raise ValueError("is not a URL of the form postgresql://user:password@host:5432/name")
    return value


IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
TxEnd = Literal["commit", "commit-allow-override", "rollback-allow-override"]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_require_postgresql)]
Networks = Annotated[tuple[IpNetwork, ...], BeforeValidator(_read_networks)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_read_origins)]
SchemaNames = Annotated[tuple[SqlName, ...], BeforeValidator(_read_schemas)]
