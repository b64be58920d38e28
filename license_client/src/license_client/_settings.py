"""The settings of a client: read once, checked completely, all mistakes told at once by name."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Required, TypedDict, TypeVar

from license_client._cache import KeyRing
from license_client._credentials import Credentials, read_email, read_key
from license_client._keyset import Trust
from license_client._option_values import (
    is_insecure,
    read_ca_file,
    read_client_cert,
    read_encryption_key,
    read_instance_id,
    read_name,
    read_path,
    read_product,
    read_server_url,
    read_start_wait,
    read_trust,
    read_trust_file,
    read_version,
)
from license_client._platform import default_cache_dir
from license_client.errors import ConfigurationError, LicenseError

_MEANING: Final = {
    "product": "expected the name of the program, as the license server knows it",
    "trust": "expected the trust.json that the vendor ships",
}
_START_WAIT_SECONDS: Final = 15.0  # contract, "Client state machine"

_Value = TypeVar("_Value")
_Raw = TypeVar("_Raw")


class Options(TypedDict, total=False):
    """What a program may say when it makes a client.

    Attributes:
        product: name of the program, as the vendor's server knows it; `[a-z0-9][a-z0-9._-]{0,63}`.
        trust: content of trust.json, or the path of it: the root keys, shipped with the program.
        server_url: of the license server, https; without it only the cache is read.
        license_key: as the customer got it.
        email: the owner's address.
        encryption_key: 64 hex digits that seal the cache file; clear, with a notice, without.
        previous_encryption_key: the one before, for reading only.
        cache_dir: folder of the cache file; `./license-data` by default, on Windows and macOS in
            the user's folder for what programs keep.
        instance_id: of this deployment, instead of the one in the cache.
        ca_file: PEM file of certificate authorities, instead of the usual ones.
        app_version: version of the program; told to the server.
        client_cert: PEM file of a certificate and its key, for a server that asks for one.
        deployment_name: what the vendor sees beside the instance id; told to the server.
        start_wait: seconds that `start` goes on asking a server that does not answer; 15 unless
            given.
        allow_insecure_http: accept http:// to another machine, with a notice.
    """

    product: Required[str | None]
    trust: Required[bytes | Path | None]
    server_url: str | None
    license_key: str | None
    email: str | None
    encryption_key: str | None
    previous_encryption_key: str | None
    cache_dir: Path | None
    instance_id: str | None
    ca_file: Path | None
    client_cert: Path | None
    app_version: str | None
    deployment_name: str | None
    start_wait: float | None
    allow_insecure_http: bool


class Settings(NamedTuple):
    """Checked settings; see `Options` for what each is."""

    product: str
    anchor: Trust
    server_url: str | None
    credentials: Credentials | None
    keys: KeyRing
    cache_dir: Path
    instance_id: str | None
    ca_file: Path | None
    client_cert: Path | None
    app_version: str | None
    deployment_name: str | None
    start_wait: float
    notices: tuple[str, ...]


class Mistakes:
    """Collects what is wrong, so that all of it can be said at once.

    Args:
        label: turns the name of an option into what its author called it.
    """

    def __init__(self, label: Callable[[str], str] = str) -> None:
        self._label = label
        self._found: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, option: str, text: str) -> None:
        """Note one sentence about `option`, without its value."""
        self._found.append(f"{self._label(option)}: {text}")

    def read(
        self, option: str, raw: _Raw | None, reader: Callable[[_Raw], _Value]
    ) -> _Value | None:
        """Return `reader(raw)`; None when there is nothing to read, or a mistake to note."""
        if raw is None:
            return None
        try:
            return reader(raw)
        except LicenseError as error:
            self.add(option, str(error))
            return None

    def error(self) -> ConfigurationError:
        """Return all that was noted as one error."""
        return ConfigurationError("; ".join(self._found))


def build_settings(options: Options, mistakes: Mistakes | None = None) -> Settings:
    """Check the options of a client.

    Args:
        options: as the program gave them.
        mistakes: what was found before, to be told together with what is found here.

    Raises:
        ConfigurationError: naming every option that is missing or wrong.
    """
    mistakes = Mistakes() if mistakes is None else mistakes
    read = mistakes.read
    insecure = options.get("allow_insecure_http", False)
    product = read("product", options.get("product"), read_product)
    anchor = _read_anchor(options.get("trust"), mistakes)
    for unknown in options.keys() - Options.__annotations__.keys():
        mistakes.add(unknown, "no such option")
    for required in ("product", "trust"):
        if options.get(required) is None:
            mistakes.add(required, f"missing; {_MEANING[required]}")
    server_url = read(
        "server_url", options.get("server_url"), partial(read_server_url, insecure=insecure)
    )
    credentials = _read_credentials(options, mistakes)
    keys = KeyRing(
        read("encryption_key", options.get("encryption_key"), read_encryption_key),
        read(
            "previous_encryption_key",
            options.get("previous_encryption_key"),
            read_encryption_key,
        ),
    )
    cache_dir = read("cache_dir", options.get("cache_dir"), read_path)
    instance_id = read("instance_id", options.get("instance_id"), read_instance_id)
    ca_file = read("ca_file", options.get("ca_file"), read_ca_file)
    client_cert = read("client_cert", options.get("client_cert"), read_client_cert)
    app_version = read("app_version", options.get("app_version"), read_version)
    deployment_name = read("deployment_name", options.get("deployment_name"), read_name)
    start_wait = read("start_wait", options.get("start_wait"), read_start_wait)
    if product is None or anchor is None or mistakes:
        raise mistakes.error()
    return Settings(
        product,
        anchor,
        server_url,
        credentials,
        keys,
        cache_dir or default_cache_dir(product),
        instance_id,
        ca_file,
        client_cert,
        app_version,
        deployment_name,
        _START_WAIT_SECONDS if start_wait is None else start_wait,
        tuple(_notices(keys, server_url)),
    )


def _notices(keys: KeyRing, server_url: str | None) -> Iterator[str]:
    """Say what is allowed and should not last; a program shows it at every start."""
    if keys.current is None:
        yield (
            "The license cache is not encrypted. Set LICENSE_ENCRYPTION_KEY to 64 hex digits, "
            "as `openssl rand -hex 32` makes them."
        )
    if server_url and is_insecure(server_url):
        yield (
            "Plain HTTP to the license server is allowed: license key and email travel in the "
            "clear. Use https, and unset LICENSE_ALLOW_INSECURE_HTTP."
        )


def _read_credentials(options: Options, mistakes: Mistakes) -> Credentials | None:
    typed_key, typed_email = options.get("license_key"), options.get("email")
    if (typed_key is None) != (typed_email is None):
        missing = "license_key" if typed_key is None else "email"
        mistakes.add(missing, "missing; a license needs both its key and its owner's email")
    key = mistakes.read("license_key", typed_key, read_key)
    email = mistakes.read("email", typed_email, read_email)
    return Credentials(key, email) if key is not None and email is not None else None


def _read_anchor(trust: bytes | Path | None, mistakes: Mistakes) -> Trust | None:
    if isinstance(trust, Path):
        return mistakes.read("trust", trust, read_trust_file)
    return mistakes.read("trust", trust, read_trust)
