"""The commands on the cache file: look into it, seal it anew, remove it."""

from collections.abc import Callable

import click

from license_client import _report
from license_client._clock import SystemClock
from license_client._codes import USABLE_STATUS, exit_status
from license_client._command_edge import CONTEXT, finish, json_option, read_environment, say
from license_client._settings import Settings
from license_client._snapshot import take_snapshot
from license_client._store import Store
from license_client.errors import ConfigurationError

_EXAMPLES = """\b
Examples:
  license-client cache show --json | jq .sealed
  LICENSE_ENCRYPTION_KEY_PREVIOUS=OLD LICENSE_ENCRYPTION_KEY=NEW license-client cache rekey
  license-client cache clear --yes"""


@click.group(context_settings=CONTEXT, epilog=_EXAMPLES)
def cache() -> None:
    """Look into the cache file, seal it anew, or remove it."""


@cache.command(epilog=_EXAMPLES)
@json_option
def show(*, as_json: bool) -> None:
    """Show what the cache holds; it never holds the license key or the email."""

    def run(settings: Settings, store: Store) -> int:
        content = store.load()
        snapshot = take_snapshot(settings, content, SystemClock().read())
        members = _report.cache_members(store.path, content, snapshot)
        click.echo(_report.cache_as_json(members) if as_json else _report.cache_as_text(members))
        return USABLE_STATUS if content.problem is None else exit_status(content.problem.code)

    _on_cache(run, as_json=as_json)


@cache.command(epilog=_EXAMPLES)
def rekey() -> None:
    """Seal the cache with LICENSE_ENCRYPTION_KEY, which it was not sealed with yet.

    The key that opens it now is LICENSE_ENCRYPTION_KEY_PREVIOUS; a clear cache needs none.
    """

    def run(settings: Settings, store: Store) -> int:
        if settings.keys.current is None:
            raise ConfigurationError("LICENSE_ENCRYPTION_KEY: missing; it is the key to seal with")
        content = store.load()
        if content.problem is not None:
            raise content.problem
        if content.document is None:
            say(f"There is no cache at {store.path}: nothing to do.")
        elif not content.outdated:
            say("The cache is sealed with this key already.")
        else:
            _require_write(lambda: store.update(lambda latest: latest.document))
            click.echo(f"Sealed {store.path} with the new key. The previous one can go.")
        return USABLE_STATUS

    _on_cache(run)


@cache.command(epilog=_EXAMPLES)
@click.confirmation_option(
    prompt="Remove the license of this machine? The license server is not told (`deactivate` does)"
)
def clear() -> None:
    """Remove the cache; the program needs the license server at its next start."""

    def run(_: Settings, store: Store) -> int:
        if _require_write(store.clear):
            click.echo(f"Removed {store.path}.")
        else:
            say(f"There is no cache at {store.path}: nothing to do.")
        return USABLE_STATUS

    _on_cache(run)


def _on_cache(run: Callable[[Settings, Store], int], *, as_json: bool = False) -> None:
    def opened() -> int:
        settings = read_environment({})
        return run(settings, Store(settings.cache_dir, settings.keys))

    finish(opened, as_json=as_json)


def _require_write(change: Callable[[], object]) -> object:
    try:
        return change()
    except OSError as error:
        raise ConfigurationError(
            f"the cache cannot be changed: {error.strerror or error}; run this as the user of the "
            "program, on a folder that it may write to"
        ) from error
