"""The settings of a process: read once, all mistakes reported at once by name.

The environment goes before the file `license-server.env` of the server's folder, which `init`
writes. Relative paths, that of a SQLite database included, are relative to that folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from license_server.errors import ConfigurationError

FILE_NAME: Final = "license-server.env"
"""The file of defaults in a server's folder."""

IN_DATABASE: Final = "database://"
"""Where rate limits are counted: in the PostgreSQL database of `database_url`."""

_SECRETS: Final = (
    "database_url",
    "rate_limit_storage_uri",
    "smtp_password",
    "stripe_webhook_secret",
    "lemon_squeezy_webhook_secret",
    "paddle_webhook_secret",
)
_SQLITE: Final = "sqlite:///"
_REDIS: Final = {"redis", "rediss", "valkey"}
_FOLDER: Final = "folder"


class _UnreadError(ValueError):
    """A value that could not even be read; its text says why."""


def _require_read(value: object) -> object:
    if isinstance(value, _UnreadError):
        raise value
    return value


def _split_networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(","))
    except ValueError:
        raise ValueError("networks such as 10.0.0.0/8,192.168.1.7 are expected") from None


def _under_folder(path: Path, info: ValidationInfo) -> Path:
    return Path(info.data[_FOLDER]) / path


LocalPath = Annotated[Path, AfterValidator(_under_folder)]


class Settings(BaseSettings):
    """Each field is the variable of the same name in capitals; a secret may be in NAME_FILE.

    Attributes:
        folder: what relative paths are relative to; given by the caller.
        database_url: `sqlite:///path` or `postgresql://…`.
        signing_key_file: the Ed25519 key of decisions, PEM.
        peppers_file: the secrets of blind indexes.
        sealing_key_file: the key of sealed columns.
        keyset_file: the root-signed key sets, a JSON array.
        audit_checkpoint_file: gets signed checkpoints of the audit log.
        tls_cert_file: PEM certificate chain; without it only this machine is served.
        tls_key_file: its private key.
        host: address to listen on for clients.
        port: port to listen on for clients; 0 = any free one.
        admin_host: address to listen on for the admin API and the console.
        admin_port: port to listen on for the admin API and the console; 0 = any free one.
        public_url: how customers reach this server, for links in mails.
        run_worker: drain the outbox while serving; else `license-server worker` does.
        mail_from: sender of mails.
        mail_folder: gets mails as .eml files while there is no `smtp_host`.
        smtp_host: sends mails.
        smtp_port: its port.
        smtp_username: for it, if it asks for one.
        smtp_password: of that user.
        smtp_security: how its connection is protected; none only on this machine.
        stripe_webhook_secret: verifies what Stripe tells; two, comma-separated, in a rotation.
        lemon_squeezy_webhook_secret: the same of Lemon Squeezy.
        paddle_webhook_secret: the same of Paddle.
        trusted_proxies: networks whose X-Forwarded-For is believed; comma-separated.
        rate_limit_storage_uri: where servers count together: `database://` or a Redis; None = each
            in its own memory.
        requests_per_minute: of one source address, before it gets 429.
        log_level: what is less important is not logged; requests are logged at info.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
        validate_default=True,
    )

    folder: Path
    database_url: Annotated[SecretStr, BeforeValidator(_require_read)] = SecretStr(
        f"{_SQLITE}license-server.db"
    )
    signing_key_file: LocalPath = Path("signing.key")
    peppers_file: LocalPath = Path("peppers.json")
    sealing_key_file: LocalPath = Path("sealing.key")
    keyset_file: LocalPath = Path("keyset.json")
    audit_checkpoint_file: LocalPath = Path("audit-checkpoints.jsonl")
    tls_cert_file: LocalPath | None = None
    tls_key_file: LocalPath | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=3002, ge=0, le=65535)
    admin_host: str = "127.0.0.1"
    admin_port: int = Field(default=3003, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:3002"
    run_worker: bool = True
    mail_from: str = "license-server@localhost"
    mail_folder: LocalPath = Path("mail")
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: Annotated[SecretStr | None, BeforeValidator(_require_read)] = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    stripe_webhook_secret: Annotated[SecretStr | None, BeforeValidator(_require_read)] = None
    lemon_squeezy_webhook_secret: Annotated[SecretStr | None, BeforeValidator(_require_read)] = None
    paddle_webhook_secret: Annotated[SecretStr | None, BeforeValidator(_require_read)] = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split_networks)
    ] = ()
    rate_limit_storage_uri: Annotated[SecretStr | None, BeforeValidator(_require_read)] = None
    requests_per_minute: int = Field(default=600, ge=1)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database_url")
    @classmethod
    def _place_database(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        url = value.get_secret_value()
        if not url.startswith(_SQLITE):
            return value
        return SecretStr(_SQLITE + str(Path(info.data[_FOLDER]) / url.removeprefix(_SQLITE)))

    @field_validator("rate_limit_storage_uri")
    @classmethod
    def _require_storage(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return value
        database = info.data.get("database_url")
        if value.get_secret_value() != IN_DATABASE:
            _require_redis(value.get_secret_value())
        elif database is not None and database.get_secret_value().startswith(_SQLITE):
            raise ValueError(
                "database:// needs PostgreSQL in DATABASE_URL: SQLite is for one server, which "
                "counts in its own memory"
            )
        return value

    @field_validator("tls_key_file")
    @classmethod
    def _require_both_files(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("tls_cert_file") is None):
            raise ValueError("TLS_CERT_FILE and TLS_KEY_FILE are expected together")
        return value

    @field_validator("host", "admin_host")
    @classmethod
    def _require_privacy(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("tls_cert_file") is None and not is_loopback(value):
            raise ValueError(
                "without TLS only this machine may connect: set TLS_CERT_FILE and TLS_KEY_FILE, "
                f"or {str(info.field_name).upper()}=127.0.0.1"
            )
        return value

    @field_validator("public_url")
    @classmethod
    def _require_url(cls, value: str) -> str:
        parts = urlsplit(value)
        is_private = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if not parts.hostname or not (parts.scheme == "https" or is_private):
            raise ValueError("https://… is expected, or http:// on this machine")
        return value.rstrip("/")

    @field_validator("smtp_security")
    @classmethod
    def _require_safe_mail(cls, value: str, info: ValidationInfo) -> str:
        host = info.data.get("smtp_host")
        if value == "none" and host is not None and not is_loopback(host):
            raise ValueError("starttls or tls is expected for a server elsewhere")
        return value

    def payment_secrets(self) -> Mapping[str, Sequence[str]]:
        """Return the secrets of each payment provider's messages, by its name."""
        given = {
            "stripe": self.stripe_webhook_secret,
            "lemon-squeezy": self.lemon_squeezy_webhook_secret,
            "paddle": self.paddle_webhook_secret,
        }
        return {
            provider: [part.strip() for part in secret.get_secret_value().split(",")]
            for provider, secret in given.items()
            if secret is not None
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - called by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, then the folder's file, each with its NAME_FILE forms."""
        env, file = (_WithSecretFiles(settings_cls, s) for s in (env_settings, dotenv_settings))
        return init_settings, env, file


class _WithSecretFiles(PydanticBaseSettingsSource):
    """A source in which NAME_FILE stands for the NAME of a secret."""

    def __init__(self, settings_cls: type[BaseSettings], inner: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        if not isinstance(inner, EnvSettingsSource):
            raise TypeError("a source of variables is expected")
        self._inner = inner

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        """See the inner source."""
        return self._inner.get_field_value(field, field_name)

    def __call__(self) -> dict[str, object]:
        """Return the values of this source by field."""
        values = self._inner()
        for name in _SECRETS:
            path = self._inner.env_vars.get(f"{name}_file")
            if path and name in values:
                values[name] = _UnreadError(
                    f"either {name.upper()} or {name.upper()}_FILE is expected"
                )
            elif path:
                values[name] = _read_text(Path(self.current_state[_FOLDER]) / path)
        return values


def load_settings(folder: Path) -> Settings:
    """Read the settings of the server in `folder`.

    Raises:
        ConfigurationError: every mistake, one a line, by name; no value is in the text.
    """
    file = folder / FILE_NAME
    try:
        return Settings(folder=folder.absolute(), _env_file=file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {file}: {type(error).__name__}") from error
    except ValidationError as error:
        raise ConfigurationError("\n".join(_mistakes(error))) from None


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting as people see it.

    Attributes:
        name: of its variable.
        value: masked if it is secret; None = it is not set.
        is_secret: it holds a secret.
        is_default: nobody has set it.
    """

    name: str
    value: str | int | bool | None
    is_secret: bool
    is_default: bool


def shown_settings(settings: Settings) -> Sequence[ShownSetting]:
    """Return all settings in their order."""
    return [
        ShownSetting(
            name.upper(),
            _shown(getattr(settings, name)),
            is_secret=name in _SECRETS,
            is_default=name not in settings.model_fields_set,
        )
        for name in Settings.model_fields
    ]


def _shown(value: object) -> str | int | bool | None:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return text if text.startswith(_SQLITE) else "(set)"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, (int, bool)) else str(value)


def _mistakes(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]).upper()
        yield f"{name}: {detail['msg'].removeprefix('Value error, ')}"


def _read_text(path: Path) -> str | _UnreadError:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        return _UnreadError(f"the file {path} cannot be read: {type(error).__name__}")


def _require_redis(uri: str) -> None:
    mistake = ValueError("database:// or redis://…, rediss://…, valkey://… is expected")
    try:
        parts = urlsplit(uri)
        is_complete = parts.scheme in _REDIS and parts.hostname and parts.port != 0
    except ValueError:
        raise mistake from None
    if not is_complete:
        raise mistake


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
