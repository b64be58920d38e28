"""The settings of one process: read once from the environment, all mistakes named at once.

The licensing settings (`LICENSE_*`) are read by the SDK; here stand those that are this service's
own rule: the start's patience and the cache's encryption.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
)

from db_api.addresses import is_loopback
from db_api.errors import DataApiError
from db_api.findings import Level
from db_api.identifiers import quote
from db_api.passwords import is_password_hash
from db_api.production_rules import DEFAULT_HOST, judge
from db_api.sealing import RootKeys
from db_api.secret_files import with_secret_files
from db_api.setting_values import (
    AggregatesFor,
    AppEnv,
    DatabaseUrl,
    GateMode,
    LogLevel,
    Networks,
    Origins,
    SchemaNames,
    TxEnd,
)

_ENCRYPTION_KEYS: Final = ("LICENSE_ENCRYPTION_KEY", "LICENSE_ENCRYPTION_KEY_PREVIOUS")
_SECRETS: Final = ("DATABASE_URL", "AUTH_PASS", "AUTH_PASS_HASH")
_ON: Final = frozenset(
    {"1", "true", "True", "TRUE", "t", "T", "y", "yes", "on"}
)  # as pydantic has it
_TEXTS: Final = {
    "missing": "is required",
    "path_not_file": "there is no such file",
    "string_pattern_mismatch": "holds a colon or a control character",
}


class SettingsError(DataApiError):
    """The environment does not make settings.

    Args:
        mistakes: one line each, every one naming its setting, none holding a secret's value.
    """

    code = "DBAPI004"

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class DatabaseSettings(BaseModel):
    """The one setting of commands that work on the database alone."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=str.upper
    )

    database_url: DatabaseUrl


class LoginSettings(DatabaseSettings):
    """The settings of whoever opens or makes the logins of schemas."""

    license_encryption_key: SecretStr | None = None
    license_encryption_key_previous: SecretStr | None = None

    @property
    def root_keys(self) -> RootKeys | None:
        """The root secret, or None where there is none.

        Raises:
            SettingsError: it is not 64 hexadecimal digits.
        """
        if self.license_encryption_key is None:
            return None
        previous = self.license_encryption_key_previous
        try:
            return RootKeys.parse(
                self.license_encryption_key.get_secret_value(),
                previous.get_secret_value() if previous else None,
            )
        except ValueError:
            names = " or ".join(_ENCRYPTION_KEYS)
            raise SettingsError((f"{names}: is not 64 hexadecimal digits",)) from None


class ProvisionSettings(LoginSettings):
    """The settings of whoever makes login roles; the serving process does not hold them."""

    provision_database_url: DatabaseUrl


class Settings(LoginSettings):
    """Every field is the environment variable of the same name in capitals.

    Attributes:
        database_url: `postgresql://user:password@host:5432/name`, libpq's parameters allowed.
        license_encryption_key: the root secret; also of the license's cache.
        license_encryption_key_previous: the one before, for reading only.
        db_allow_plaintext: lets DATABASE_URL lead to another host without TLS.
        auth_user: the administrator's name for HTTP Basic.
        auth_pass: its password; or
        auth_pass_hash: the Argon2id PHC string of it.
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        tls_cert_file: PEM chain; both TLS files or none.
        tls_key_file: PEM key of the first certificate.
        app_env: `production` refuses what `development` (loopback only) lets pass.
        metrics_host: the address of the listener for metrics.
        metrics_port: its port; there is none unless it is set.
        trusted_proxies: networks whose `X-Forwarded-*` headers are believed, comma-separated.
        license_gate: `exit` ends a start without a usable license with 78; `lock` serves the
            license's own routes until one is activated.
        cors_origins: whose pages may read answers, comma-separated; `*` = everybody's.
        cors_credentials: lets their browsers send HTTP Basic along.
        log_level: from which level on events are written.
        statement_timeout_anon_ms: milliseconds a statement of an `anon` key may take.
        statement_timeout_service_ms: the same for `service_role` keys and the administrator.
        lock_timeout_ms: milliseconds a statement may wait for a lock.
        max_rows_anon: rows an answer to an `anon` key holds at most.
        max_rows_service: the same for `service_role` keys.
        max_stream_bytes_anon: bytes of an answer of CSV or NDJSON to an `anon` key at most.
        aggregates_for: whose keys may use aggregate functions, which read every row: `nobody`,
            `service` or `everyone`.
        max_body_bytes: bytes of a request's body at most.
        max_load_bytes: the same for rows of CSV or NDJSON, which are inserted as they come.
        pool_size: database connections for requests.
        pool_timeout_seconds: seconds a request waits for one of them.
        sql_connections: statements of users that run at once, each on a connection of its own.
        sql_timeout_max_ms: milliseconds that a statement of a user's may ask for.
        sql_max_bytes: bytes of the rows of a statement of a user's at most.
        sql_request_ids: PostgreSQL's log and pg_stat_activity show the ids of requests.
        key_requests_per_second: requests a second for each API key.
        key_burst: requests at once for each API key.
        failed_logins_per_minute: failed logins a minute for each address.
        db_extra_search_path: schemas, comma-separated, where names are looked up that a key's own
            schema does not have: those of extensions, for their operators and functions.
        db_api_tx_end: how writes end; with `-allow-override` a client may choose (`Prefer: tx=`).
        db_api_allow_unfiltered: a PATCH or DELETE needs no filter.
    """

    db_allow_plaintext: bool = False
    auth_user: str = Field(min_length=1, max_length=64, pattern=r"^[^:\x00-\x1f\x7f]+$")
    auth_pass: SecretStr | None = None
    auth_pass_hash: SecretStr | None = None
    host: str = DEFAULT_HOST
    port: int = Field(default=3001, ge=0, le=65_535)
    metrics_host: str = DEFAULT_HOST
    metrics_port: int | None = Field(default=None, ge=0, le=65_535)
    tls_cert_file: FilePath | None = None
    tls_key_file: FilePath | None = None
    app_env: AppEnv = AppEnv.PRODUCTION
    trusted_proxies: Networks = ()
    license_gate: GateMode = GateMode.EXIT
    cors_origins: Origins = ()
    cors_credentials: bool = False
    log_level: LogLevel = LogLevel.INFO
    statement_timeout_anon_ms: int = Field(default=3_000, ge=1, le=3_600_000)
    statement_timeout_service_ms: int = Field(default=8_000, ge=1, le=3_600_000)
    lock_timeout_ms: int = Field(default=2_000, ge=1, le=3_600_000)
    max_rows_anon: int = Field(default=1_000, ge=1, le=1_000_000)
    max_rows_service: int = Field(default=10_000, ge=1, le=1_000_000)
    max_stream_bytes_anon: int = Field(default=100 * 1024 * 1024, ge=1024)
    aggregates_for: AggregatesFor = AggregatesFor.SERVICE
    max_body_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, le=1024**3)
    max_load_bytes: int = Field(default=100 * 1024 * 1024, ge=1024)
    pool_size: int = Field(default=10, ge=1, le=100)
    pool_timeout_seconds: float = Field(default=2, gt=0, le=60)
    sql_connections: int = Field(default=4, ge=1, le=100)
    sql_timeout_max_ms: int = Field(default=30_000, ge=1, le=3_600_000)
    sql_max_bytes: int = Field(default=10 * 1024 * 1024, ge=1024, le=1024**3)
    sql_request_ids: bool = False
    key_requests_per_second: float = Field(default=20, gt=0, le=1_000_000)
    key_burst: int = Field(default=40, ge=1, le=1_000_000)
    failed_logins_per_minute: int = Field(default=10, ge=1, le=1_000)
    db_extra_search_path: SchemaNames = (quote("public"),)
    db_api_tx_end: TxEnd = "commit"
    db_api_allow_unfiltered: bool = False

    @field_validator("auth_pass_hash")
    @classmethod
    def _require_argon2id(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_password_hash(value.get_secret_value()):
            raise ValueError(
                "is not an Argon2id string of at least m=19456,t=2; "
                "`db-api gen password-hash` makes one"
            )
        return value


SettingsT = TypeVar("SettingsT", bound=DatabaseSettings)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Make the settings of a service.

    Args:
        environ: the process's environment; a secret may come as the file `NAME_FILE` instead.

    Raises:
        SettingsError: every mistake, by the name of its setting.
    """
    values, mistakes = with_secret_files(environ, _SECRETS)
    keys, _ = with_secret_files(environ, _ENCRYPTION_KEYS)  # the SDK names their mistakes
    values = {**keys, **values}
    rules = (*_combination_mistakes(values), *_production_mistakes(values))
    return _validated(Settings, values, (*mistakes, *rules))


def read_database_settings(environ: Mapping[str, str]) -> DatabaseSettings:
    """Make the settings of a command on the database.

    Args:
        environ: as for `read_settings`.

    Raises:
        SettingsError: DATABASE_URL is missing or wrong.
    """
    return _read_alone(DatabaseSettings, environ, ("DATABASE_URL",))


def read_login_settings(environ: Mapping[str, str]) -> LoginSettings:
    """Make the settings of a command on the logins.

    Args:
        environ: as for `read_settings`.

    Raises:
        SettingsError: every mistake, by the name of its setting.
    """
    return _read_alone(LoginSettings, environ, ("DATABASE_URL", *_ENCRYPTION_KEYS))


def read_provision_settings(environ: Mapping[str, str]) -> ProvisionSettings:
    """Make the settings of a command that makes login roles.

    Args:
        environ: as for `read_settings`.

    Raises:
        SettingsError: every mistake, by the name of its setting.
    """
    names = ("DATABASE_URL", "PROVISION_DATABASE_URL", *_ENCRYPTION_KEYS)
    return _read_alone(ProvisionSettings, environ, names)


def _read_alone(
    model: type[SettingsT], environ: Mapping[str, str], names: Sequence[str]
) -> SettingsT:
    """Read some secrets, whatever else the environment holds."""
    values, mistakes = with_secret_files(environ, names)
    return _validated(model, {name: values[name] for name in names if name in values}, mistakes)


def _validated(
    model: type[SettingsT], values: Mapping[str, str], mistakes: Sequence[str]
) -> SettingsT:
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        raise SettingsError((*_field_mistakes(error), *mistakes)) from None
    if mistakes:
        raise SettingsError(tuple(mistakes))
    return settings


def _combination_mistakes(values: Mapping[str, str]) -> Iterator[str]:
    """Judge what no single field can, in production and in development."""
    if ("AUTH_PASS" in values) == ("AUTH_PASS_HASH" in values):
        yield "AUTH_PASS: set either AUTH_PASS or AUTH_PASS_HASH (`db-api gen password`)"
    if ("TLS_CERT_FILE" in values) != ("TLS_KEY_FILE" in values):
        yield "TLS_CERT_FILE: set TLS_CERT_FILE and TLS_KEY_FILE together"
    if "*" in values.get("CORS_ORIGINS", "") and values.get("CORS_CREDENTIALS") in _ON:
        yield "CORS_CREDENTIALS: is not for everybody's pages; name origins in CORS_ORIGINS"
    is_development = values.get("APP_ENV") == AppEnv.DEVELOPMENT
    if is_development and not is_loopback(values.get("HOST", DEFAULT_HOST)):
        yield "APP_ENV: development listens on loopback only; change APP_ENV or HOST"


def _production_mistakes(values: Mapping[str, str]) -> Iterator[str]:
    if values.get("APP_ENV") == AppEnv.DEVELOPMENT:
        return
    for finding in judge(values):
        if finding.level is Level.FAIL:
            yield f"{finding.text}; {finding.remedy}"


def _field_mistakes(error: ValidationError) -> tuple[str, ...]:
    return tuple(
        f"{str(detail['loc'][0]).upper()}: "
        f"{_TEXTS.get(detail['type'], detail['msg']).removeprefix('Value error, ')}"
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    )
