"""Settings from the environment: `LICENSE_…`, and `LICENSE_…_FILE` for what is secret.

A file is how containers hand in a secret without showing it to child processes and `inspect`.
An empty variable counts as unset: that is what compose files make of one that is not there.
"""

from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Final

from license_client._settings import Mistakes, Options, Settings, build_settings
from license_client.errors import ConfigurationError

_VARIABLES: Final = {
    "product": "LICENSE_PRODUCT",
    "server_url": "LICENSE_SERVER_URL",
    "license_key": "LICENSE_KEY",
    "email": "LICENSE_EMAIL",
    "encryption_key": "LICENSE_ENCRYPTION_KEY",
    "previous_encryption_key": "LICENSE_ENCRYPTION_KEY_PREVIOUS",
    "cache_dir": "LICENSE_CACHE_DIR",
    "instance_id": "LICENSE_INSTANCE_ID",
    "ca_file": "LICENSE_CA_FILE",
    "client_cert": "LICENSE_CLIENT_CERT",
    "start_wait": "LICENSE_START_WAIT",
    "trust": "LICENSE_TRUST_FILE",
    "allow_insecure_http": "LICENSE_ALLOW_INSECURE_HTTP",
}
_MAX_SECRET_BYTES: Final = 4_096
_SWITCH: Final = {"1": True, "true": True, "0": False, "false": False}


def read_settings(
    product: str | None,
    trust: bytes | Path | None,
    environ: Mapping[str, str],
    app_version: str | None = None,
) -> Settings:
    """Read the settings of a program.

    Args:
        product: the program's own name for itself; None lets LICENSE_PRODUCT say it.
        trust: built-in trust.json; where there is one, LICENSE_TRUST_FILE is refused.
        environ: `os.environ`, or what stands for it.
        app_version: of the program.

    Raises:
        ConfigurationError: naming every variable that is missing or wrong.
    """
    mistakes = Mistakes(lambda option: _VARIABLES.get(option, option))
    source = _Source(environ, mistakes)
    options: Options = {
        "product": product if product is not None else source.text("product"),
        "trust": _choose_trust(trust, source, mistakes),
        "server_url": source.text("server_url"),
        "license_key": source.secret("license_key"),
        "email": source.secret("email"),
        "encryption_key": source.secret("encryption_key"),
        "previous_encryption_key": source.secret("previous_encryption_key"),
        "cache_dir": source.path("cache_dir"),
        "instance_id": source.text("instance_id"),
        "ca_file": source.path("ca_file"),
        "client_cert": source.path("client_cert"),
        "start_wait": source.number("start_wait"),
        "app_version": app_version,
        "allow_insecure_http": source.switch("allow_insecure_http"),
    }
    return build_settings(options, mistakes)


class _Source:
    """The environment, asked by the name of an option."""

    def __init__(self, environ: Mapping[str, str], mistakes: Mistakes) -> None:
        self._environ = environ
        self._mistakes = mistakes

    def text(self, option: str) -> str | None:
        """Return what a variable says; None when unset."""
        return self._environ.get(_VARIABLES[option]) or None

    def path(self, option: str) -> Path | None:
        """Return the path that a variable says."""
        value = self.text(option)
        return Path(value) if value else None

    def number(self, option: str) -> float | None:
        """Return the number that a variable says; what is none is no number in any range."""
        value = self.text(option)
        try:
            return None if value is None else float(value)
        except ValueError:
            return nan

    def switch(self, option: str) -> bool:
        """Return whether a variable is on; off when unset."""
        value = self.text(option)
        if value is None:
            return False
        if value not in _SWITCH:
            self._mistakes.add(option, "expected 1 or 0")
        return _SWITCH.get(value, False)

    def secret(self, option: str) -> str | None:
        """Return what a variable says, or the file that its `…_FILE` names."""
        value, file = self.text(option), self._environ.get(f"{_VARIABLES[option]}_FILE")
        if not file:
            return value
        if value is not None:
            self._mistakes.add(option, f"set together with {_VARIABLES[option]}_FILE; unset one")
        return self._mistakes.read(option, Path(file), _read_secret)


def _read_secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_SECRET_BYTES).decode("utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read {path} as text") from error


def _choose_trust(
    built_in: bytes | Path | None, source: _Source, mistakes: Mistakes
) -> bytes | Path | None:
    chosen = source.path("trust")
    if built_in is not None and chosen is not None:
        mistakes.add("trust", "refused: this program has its vendor's trust.json built in")
    return chosen if built_in is None else built_in
