"""`db-api demo`: the service on an embedded PostgreSQL with real data."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from db_api import logs
from db_api.app import open_app
from db_api.cli.environment import environment
from db_api.cli.exits import NO_LICENSE, end, reported
from db_api.cli.serve import configure, run
from db_api.demo.embedded import embedded_postgres
from db_api.demo.session import USER, Session, prepare, until_ready
from db_api.metrics import MeasuredApp

_EXAMPLES = """\b
Examples:
  db-api demo
  db-api demo --port 3005 --json
The license comes from LICENSE_* as for `db-api serve`."""
_HOST: Final = "127.0.0.1"


@click.command(epilog=_EXAMPLES)
@click.option("--port", default=3001, show_default=True, type=click.IntRange(1, 65_535))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the database here; a temporary folder if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once it is ready.")
def demo(*, port: int, folder: Path | None, as_json: bool) -> None:
    """Serve 28,000 airports from an embedded PostgreSQL on 127.0.0.1 until Ctrl-C."""
    environ = environment()
    if not {"LICENSE_KEY", "LICENSE_KEY_FILE"} & environ.keys():
        end(
            NO_LICENSE,
            "license: UNLICENSED set LICENSE_SERVER_URL, LICENSE_KEY, LICENSE_EMAIL and "
            "LICENSE_TRUST_FILE; `make demo` in the repository starts a license server and "
            "sets all of them",
        )
    signal.signal(signal.SIGTERM, _interrupt)
    with reported(), suppress(KeyboardInterrupt), embedded_postgres(folder) as database_url:
        session = asyncio.run(prepare(database_url, f"http://{_HOST}:{port}"))
        settings, gate = configure(_settings_of(session, port, environ))
        logs.configure(settings.log_level)
        text = session.as_json() if as_json else session.as_text()
        run(settings, lambda: _announced(open_app(settings, gate), session, text))


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Stop like Ctrl-C, so that the embedded PostgreSQL is stopped too."""
    raise KeyboardInterrupt


def _settings_of(session: Session, port: int, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Take the license from the environment and nothing else."""
    license_settings = {
        name: value for name, value in environ.items() if name.startswith("LICENSE_")
    }
    return {
        **license_settings,
        "DATABASE_URL": session.database_url,
        "AUTH_USER": USER,
        "AUTH_PASS": session.password,
        "HOST": _HOST,
        "PORT": str(port),
        "APP_ENV": "development",
        "LOG_LEVEL": "warning",
    }


@asynccontextmanager
async def _announced(
    opened: AbstractAsyncContextManager[MeasuredApp], session: Session, text: str
) -> AsyncIterator[MeasuredApp]:
    """Print `text` as soon as the application that is served answers."""

    async def announce() -> None:
        await until_ready(session)
        click.echo(text)

    async with opened as app:
        announcing = asyncio.create_task(announce())
        try:
            yield app
        finally:
            announcing.cancel()
